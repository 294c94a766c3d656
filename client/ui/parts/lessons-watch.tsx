import { useEffect } from 'preact/hooks';
import { deviceLessons } from '#client/player/browser-media.ts';
import { LessonFollowing } from '#client/store/lesson-following.ts';
import { wishesOf } from '#client/store/wishes.ts';
import { useCinema } from '../house.ts';

/** Shows nothing: as long as somebody is signed in, what is forgotten of this device elsewhere is forgotten on it. */
export function LessonsWatch() {
  const cinema = useCinema();
  useEffect(() => {
    const following = new LessonFollowing(wishesOf(cinema), deviceLessons(), cinema.viewer.id);
    return () => following.dispose();
  }, [cinema]);
  return null;
}
