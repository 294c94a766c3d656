import { rgbaToThumbHash } from 'thumbhash';
import { describe, expect, it } from 'vitest';
import { placeholderOf, plainSource, sourceSet, titleLogo } from './picture-source.ts';
import { placeholderUrl } from './placeholder.ts';

const picture = (width: number) => ({ url: '/images/a/b', width, height: 100, placeholder: null });

describe('the logo in the place of the title', () => {
  it('gives way to a title that a person wrote, unless the logo is their choice too', () => {
    const logo = picture(500);
    expect(titleLogo({ logo, lockedFields: ['overview'] })).toBe(logo);
    expect(titleLogo({ logo, lockedFields: ['title'] })).toBeNull();
    expect(titleLogo({ logo, lockedFields: ['title', 'logo'] })).toBe(logo);
    expect(titleLogo({ logo: null, lockedFields: [] })).toBeNull();
  });
});

describe('sizes of a picture', () => {
  it('are all that are narrower than the picture, and the picture itself', () => {
    expect(sourceSet(picture(700))).toBe(
      '/images/a/b?w=160 160w, /images/a/b?w=320 320w, /images/a/b?w=480 480w, /images/a/b?w=640 640w, /images/a/b 700w',
    );
    expect(sourceSet(picture(320))).toBe('/images/a/b?w=160 160w, /images/a/b 320w');
    expect(sourceSet(picture(160))).toBeNull();
  });

  it('end at the widest that the server gives', () => {
    expect(sourceSet(picture(3_840))).toMatch(/\?w=1920 1920w$/);
    expect(sourceSet(picture(1_920))).toMatch(/\?w=1280 1280w, \/images\/a\/b 1920w$/);
  });

  it('without a choice are modest', () => {
    expect(plainSource(picture(3_840))).toBe('/images/a/b?w=640');
    expect(plainSource(picture(300))).toBe('/images/a/b');
  });
});

describe('a placeholder', () => {
  it('is drawn from its hash', () => {
    const hash = rgbaToThumbHash(2, 1, [255, 0, 0, 255, 0, 0, 255, 255]);
    expect(placeholderUrl(btoa(String.fromCharCode(...hash)))).toMatch(/^data:image\/png;base64,iVBOR/);
  });

  it('comes when what draws it was loaded, which happens when the first is asked for', async () => {
    const hash = btoa(String.fromCharCode(...rgbaToThumbHash(1, 1, [9, 9, 9, 255])));
    expect(placeholderOf(null)).toBeNull();
    expect(placeholderOf(hash)).toBeNull();
    await expect.poll(() => placeholderOf(hash)).toBe(placeholderUrl(hash));
  });

  it.each(['', '***', 'AA=='])('is none for %j', (text) => {
    expect(placeholderUrl(text)).toBeNull();
  });
});
