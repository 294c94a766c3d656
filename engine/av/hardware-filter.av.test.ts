/** Pictures that lie on a device go from filter to filter there. Without a chip, Mesa's imitation of one shows it. */
import { existsSync } from 'node:fs';
import { Frame } from 'node-av/lib';
import { describe, expect, it } from 'vitest';
import { FilterChain } from './filter-chain.ts';
import { HardwareDevice } from './hardware-device.ts';
import { HardwareFilter, chipChain } from './hardware-filter.ts';
import { difference, trialFrames } from './hardware-picture.ts';
import { pictureInput } from './video-picture.ts';

const hasVulkan = ['x86_64', 'aarch64'].some((name) => existsSync(`/usr/share/vulkan/icd.d/lvp_icd.${name}.json`));
const SIZE = { widthPx: 640, heightPx: 360 };
const SOFT = 'scale=640:360:flags=bicubic:out_range=tv,format=yuv420p,setsar=1';
const TIME_BASE = { num: 1, den: 90_000 };

function through(filter: Pick<FilterChain, 'send' | 'receive'>, frames: readonly Frame[]): Frame[] {
  const out: Frame[] = [];
  const pull = (): void => {
    for (;;) {
      const frame = new Frame();
      frame.alloc();
      if (!filter.receive(frame)) return frame.free();
      out.push(frame);
    }
  };
  for (const frame of frames) {
    filter.send(frame.clone());
    pull();
  }
  filter.send(null);
  pull();
  return out;
}

describe.runIf(hasVulkan)('HardwareFilter', () => {
  it('[PLAY75] works on pictures where they lie, leaves them there for an encoder, and brings them back for others', () => {
    using device = new HardwareDevice('vulkan', null);
    const frames = trialFrames('sdr', 3);
    using wanting = new FilterChain('video', pictureInput(frames[0]!), SOFT, 1);
    const wanted = through(wanting, frames);
    const onChip = (encode: boolean, isOnChip: boolean) =>
      chipChain({
        plan: { kind: 'vulkan', filter: true, encode, toneMapWay: '', deinterlaceWay: '' },
        ...{ isOnChip, bitDepth: 8, size: SIZE, toneMap: false, deinterlace: false, softwareChain: SOFT },
      });
    const open = (first: Frame, chain: string) =>
      new HardwareFilter(device, first, pictureInput(first), TIME_BASE, chain, 1);

    using upload = open(frames[0]!, 'format=nv12,hwupload');
    const above = through(upload, frames);
    expect(above.map((frame) => frame.isHwFrame())).toEqual([true, true, true]);
    using scale = open(above[0]!, onChip(true, true));
    const scaled = through(scale, above);
    expect(scaled.map(({ width, height }) => [width, height])).toEqual([1, 2, 3].map(() => [640, 360]));
    expect(scaled.every((frame) => frame.isHwFrame())).toBe(true);
    expect(scaled.map(({ pts }) => pts)).toEqual(wanted.map(({ pts }) => pts));

    using both = open(above[0]!, onChip(false, true));
    const back = through(both, above);
    expect(back.some((frame) => frame.isHwFrame())).toBe(false);
    const { psnrDb, colour } = difference(back, wanted);
    expect(psnrDb).toBeGreaterThan(30);
    expect(colour).toBeLessThan(4);
    for (const frame of [...frames, ...wanted, ...above, ...scaled, ...back]) frame.free();
  });

  it('[PLAY75] has the processor filter what was decoded on the device', () => {
    using device = new HardwareDevice('vulkan', null);
    const frames = trialFrames('sdr', 2);
    using upload = new HardwareFilter(
      device,
      frames[0]!,
      pictureInput(frames[0]!),
      TIME_BASE,
      'format=nv12,hwupload',
      1,
    );
    const above = through(upload, frames);
    const plan = { kind: 'vulkan', filter: false, encode: false, toneMapWay: '', deinterlaceWay: '' } as const;
    const chain = chipChain({
      ...{ plan, isOnChip: true, bitDepth: 8, size: SIZE, toneMap: false, deinterlace: false, softwareChain: SOFT },
    });
    using down = new HardwareFilter(device, above[0]!, pictureInput(above[0]!), TIME_BASE, chain, 1);
    const got = through(down, above);
    using wanting = new FilterChain('video', pictureInput(frames[0]!), SOFT, 1);
    const wanted = through(wanting, frames);
    expect(difference(got, wanted).psnrDb).toBeGreaterThan(45);
    for (const frame of [...frames, ...above, ...got, ...wanted]) frame.free();
  });
});

describe('difference', () => {
  it('[PLAY72] tells the right picture from one that is shifted, swapped in its colours, or of another place', () => {
    const [first, second] = trialFrames('sdr', 12).filter((_, index) => index === 0 || index === 11);
    const changed = (chain: string): Frame => {
      using filter = new FilterChain('video', pictureInput(first!), `${chain},format=yuv420p`, 1);
      return through(filter, [first!])[0]!;
    };
    const far = (frame: Frame) => difference([frame], [first!]);
    expect(far(changed('null'))).toEqual({ psnrDb: Infinity, colour: 0 });
    expect(far(changed('swapuv')).colour).toBeGreaterThan(20);
    expect(far(changed('hflip')).psnrDb).toBeLessThan(20);
    expect(far(changed('lutyuv=y=val+12')).colour).toBeGreaterThan(8);
    expect(far(changed('lutyuv=y=16:u=128:v=128')).psnrDb).toBeLessThan(15);
    expect(far(second!).psnrDb).toBeLessThan(28);
  });
});
