/** The settings as text: `--help`, `npm run config`, and the table in the README. */
import type { ReadConfig } from './config.ts';
import { SETTING_KEYS, fileKeyOf, flagOf, settingOf, variablesOf } from './settings.ts';

export function helpText(): string {
  const rows = SETTING_KEYS.flatMap((key) => {
    const setting = settingOf(key);
    const flag = flagOf(setting);
    return flag === null ? [] : [[`${flag} ${setting.kind.placeholder}`, `${setting.help} (${setting.defaultText})`]];
  });
  rows.push(
    ['--config FILE', 'A JSON file with settings. (matinee.json in the data folder)'],
    ['--help', 'This text.'],
  );
  const secrets = SETTING_KEYS.map(settingOf).filter(({ isSecret }) => isSecret);
  return [
    'Matinee, a movie server.',
    '',
    '    npm start -- --library ~/Movies',
    '',
    ...align(rows),
    '',
    'Each can be set in the environment too: --max-transcodes as MATINEE_MAX_TRANSCODES.',
    'Only there, or in the file, since flags can be seen by every user of the machine:',
    '',
    ...align(secrets.map((setting) => [variablesOf(setting).at(-1) ?? '', setting.help])),
    '',
    'With _FILE behind its name, a variable of the second list names a file that holds the value.',
    '',
  ].join('\n');
}

/** Every setting in effect, with where it came from; secrets «redacted». */
export function effectiveText({ config, origins }: ReadConfig): string {
  const rows = SETTING_KEYS.map((key) => {
    const setting = settingOf(key);
    const value: unknown = config[key];
    const isEmpty = value === null || (Array.isArray(value) && value.length === 0);
    return [fileKeyOf(setting), isEmpty ? '–' : setting.kind.show(value), `(${origins[key]})`];
  });
  return `${align(rows, '').join('\n')}\n`;
}

/** The table in the README, in Markdown. */
export function configurationTable(): string {
  const rows = SETTING_KEYS.map((key) => {
    const setting = settingOf(key);
    const flag = flagOf(setting);
    const cells = [
      flag === null ? '–' : `\`${flag} ${setting.kind.placeholder.replaceAll('|', '\\|')}\``,
      variablesOf(setting)
        .map((name) => `\`${name}\`${setting.isSecret ? ', `…_FILE`' : ''}`)
        .join('<br>'),
      `\`${fileKeyOf(setting)}\``,
      setting.defaultText,
      setting.help,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return ['| flag | environment | file | default | what it does |', '|---|---|---|---|---|', ...rows].join('\n');
}

function align(rows: readonly (readonly string[])[], indent: string = '  '): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  return rows.map(
    (row) =>
      `${indent}${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}`,
  );
}
