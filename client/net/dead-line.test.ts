/** What a connection does when nothing comes: by a clock that a test moves. */
import { describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { SERVER_FRAME_LIMITS, decode, encode } from '#protocol/codec.ts';
import { CLOSE } from '#protocol/close-code.ts';
import { FRAME, LIMITS } from '#protocol/frame.ts';
import { movies } from '#protocol/index.ts';
import { viewerOf } from '#test/support/gateway.ts';
import { Connection } from './connection.ts';
import type { SocketEvents } from './socket.ts';

function setUp() {
  const clock = new FakeClock();
  const sockets: { events: SocketEvents; sent: unknown[][]; closed: number | null }[] = [];
  const connection = new Connection({
    openSocket: (events) => {
      const socket = { events, sent: [] as unknown[][], closed: null as number | null };
      sockets.push(socket);
      return {
        send: (bytes) => socket.sent.push(decode(bytes, SERVER_FRAME_LIMITS) as unknown[]),
        close: (code) => {
          socket.closed = code;
        },
      };
    },
    client: { name: 'test', version: '0' },
    timers: {
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, action) => {
        const timer = clock.after(delayMs, action);
        return () => timer[Symbol.dispose]();
      },
    },
    random: () => 1,
  });
  const welcome = (index: number): void => {
    sockets[index]!.events.onOpen();
    sockets[index]!.events.onMessage(
      encode([
        FRAME.welcome,
        {
          version: 1,
          serverTime: 0,
          server: { version: '0', startedAt: 0 },
          sessionId: '0190f3a2-0000-7000-8000-000000000001',
          viewer: viewerOf('user'),
          limits: LIMITS,
        },
      ]),
    );
  };
  connection.start();
  return { clock, sockets, connection, welcome };
}

describe('dead lines', () => {
  it('a socket that never opens is given up', async () => {
    const { clock, sockets, connection } = setUp();
    await clock.advance(10_000);
    expect(connection.state.name).toBe('waiting');
    expect(sockets[0]!.closed).toBe(4900);
    await clock.advance(250);
    expect([connection.state.name, sockets.length]).toEqual(['connecting', 2]);
  });

  it('a ping without a pong ends the line long before TCP would', async () => {
    const { clock, sockets, connection, welcome } = setUp();
    welcome(0);
    expect(connection.state.name).toBe('live');
    await clock.advance(10_000);
    expect([connection.state.name, sockets[0]!.closed]).toEqual(['waiting', 4900]);
  });

  it('pings go on as long as they are answered', async () => {
    const { clock, sockets, connection, welcome } = setUp();
    welcome(0);
    for (let second = 0; second < 120; second++) {
      await clock.advance(1_000);
      for (const frame of sockets[0]!.sent.splice(0)) {
        if (frame[0] === FRAME.ping) sockets[0]!.events.onMessage(encode([FRAME.pong, frame[1], clock.nowMs()]));
      }
    }
    expect([connection.state.name, sockets.length]).toEqual(['live', 1]);
    expect(Math.abs(connection.serverNowMs()! - clock.nowMs())).toBeLessThan(1_000);
  });

  it('a hint that the page is back shortens the wait', async () => {
    const { sockets, connection } = setUp();
    sockets[0]!.events.onClose(1006, '');
    expect(connection.state).toEqual({ name: 'waiting', delayMs: 250, failures: 1 });
    connection.check();
    expect([connection.state.name, sockets.length]).toEqual(['connecting', 2]);
  });

  it('[CLOSE5] each close leads where its policy says', () => {
    const ends = Object.values(CLOSE).map(({ code, policy, reason }) => {
      const { sockets, connection } = setUp();
      sockets[0]!.events.onClose(code, reason);
      return [policy, connection.state.name];
    });
    const expected = {
      retry: 'waiting',
      retryAfter: 'waiting',
      upgradeClient: 'outdated',
      signIn: 'signedOut',
      never: 'refused',
    };
    for (const [policy, state] of ends) expect(state).toBe(expected[policy as keyof typeof expected]);
  });

  it('[VER2] [CLOSE5] tells which side is outdated', () => {
    for (const side of ['client', 'server'] as const) {
      const { sockets, connection } = setUp();
      sockets[0]!.events.onClose(
        CLOSE.protocolVersion.code,
        `${CLOSE.protocolVersion.reason}: the ${side} must be updated`,
      );
      expect(connection.state).toEqual({ name: 'outdated', side });
    }
  });

  it('[CLOSE5] a server with too much to do is left alone for longer', () => {
    const { sockets, connection } = setUp();
    sockets[0]!.events.onClose(CLOSE.tryLater.code, '');
    expect(connection.state).toMatchObject({ name: 'waiting', delayMs: 5_000 });
  });

  it('a call that waits for a connection in vain ends by its deadline; too many are refused at once', async () => {
    const { clock, connection } = setUp();
    const outcome = connection.call(movies.list, {}, { deadlineMs: 3_000 }).catch((error: unknown) => error);
    const all = Array.from({ length: 300 }, () =>
      connection.call(movies.list, {}).catch((error: { code: string }) => error.code),
    );
    await clock.advance(4_000);
    expect(await outcome).toMatchObject({ code: 'timeout', data: { afterMs: 3_000 } });
    connection.stop();
    const codes = await Promise.all(all);
    expect(codes.filter((code) => code === 'overloaded').length).toBeGreaterThan(40);
  });

  it('a frame that is none ends the line, not the page', () => {
    const { sockets, connection, welcome } = setUp();
    welcome(0);
    sockets[0]!.events.onMessage(new Uint8Array([0xc1]));
    expect([connection.state.name, sockets[0]!.closed]).toEqual(['waiting', 4901]);
  });
});
