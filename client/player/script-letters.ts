/** Which letters a styled script is written in: the one font that the player brings along has those of few. */

/** Latin, Greek, Cyrillic and Hebrew are in Liberation Sans; digits and signs say nothing. */
const DRAWN = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}]/gu;
const LETTERS = /\p{L}/gu;
/** A sign or a name in other letters is no reason to give up how everything else looks. */
const FEW_SHARE = 0.1;
/** Overrides in braces are drawing orders, not talk. */
const OVERRIDES = /\{[^}]*\}/g;

/** Whether much of what an ASS script says is in letters that are not in the player's own font (Chinese, Japanese, Korean, Thai, Arabic …). */
export function needsOtherFonts(script: string): boolean {
  let letters = 0;
  let drawn = 0;
  for (const line of script.split('\n')) {
    if (!line.startsWith('Dialogue:')) continue;
    // Nine fields before the text.
    const text = line.split(',').slice(9).join(',').replaceAll(OVERRIDES, '');
    letters += text.match(LETTERS)?.length ?? 0;
    drawn += text.match(DRAWN)?.length ?? 0;
  }
  return letters - drawn > letters * FEW_SHARE;
}
