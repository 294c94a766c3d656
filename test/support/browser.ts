/** A real Chromium for tests of screens. The machine's own: the driver's packages bring none. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

const FLAGS = [
  // As root, which is what CI is, Chromium refuses its sandbox.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--mute-audio',
  // A container's /dev/shm is often too small for it.
  '--disable-dev-shm-usage',
];

export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? PLACES.find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error(
      'This test needs Chromium. Install it: apt-get install -y chromium (or name one in CHROMIUM_PATH).',
    );
  }
  return chromium.launch({ executablePath, args: FLAGS });
}
