/** Edits as a person makes them: said in a notice that can take them back. */
import { isFailure } from '#protocol/errors.ts';
import { editsOf } from '#client/store/edits.ts';
import type { EditMade } from '#client/store/edits.ts';
import type { NoticeAction } from '#client/store/notices.ts';
import { failureText } from './failure-text.ts';
import { useCinema, useLobby } from './house.ts';
import { counted } from './wording.ts';

interface Editing {
  /** Makes an edit; `done` is what the notice says of it, and `more` what it offers beside Undo. Resolves to whether it worked. */
  readonly make: (edit: () => Promise<EditMade>, done: string, more?: NoticeAction) => Promise<boolean>;
  readonly undo: (editId: string) => Promise<void>;
}

export function useEditing(): Editing {
  const { notices } = useLobby();
  const edits = editsOf(useCinema());

  const undo = async (editId: string): Promise<void> => {
    try {
      const { changed, kept } = await edits.undo(editId);
      notices.show(
        kept > 0
          ? `Taken back for ${counted(changed, 'movie')}; ${counted(kept, 'movie')} changed again since and stay as they are.`
          : 'Taken back.',
      );
    } catch (error) {
      if (!isFailure(error)) throw error;
      notices.show(failureText(error), 'bad');
    }
  };

  return {
    undo,
    async make(edit, done, more) {
      try {
        const { editId } = await edit();
        notices.show(
          editId === null ? 'It was so already; nothing had to be changed.' : done,
          'plain',
          editId === null
            ? []
            : [{ label: 'Undo', run: () => void undo(editId) }, ...(more === undefined ? [] : [more])],
        );
        return true;
      } catch (error) {
        if (!isFailure(error)) throw error;
        notices.show(failureText(error), 'bad');
        return false;
      }
    },
  };
}
