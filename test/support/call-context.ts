/** A call's context as the gateway would make it, for testing handlers without a gateway. */
import type { Call } from '#protocol/contract.ts';
import { Failure } from '#protocol/errors.ts';
import type { SignedInContext } from '#protocol/handler.ts';
import { PERMISSIONS_BY_ROLE } from '#protocol/permission.ts';
import type { Role } from '#protocol/permission.ts';
import type { Viewer } from '#protocol/schema/account.ts';

export interface TestContext extends SignedInContext<Call> {
  /** The last token that the handler set: `null` when it cleared it, `undefined` when it did neither. */
  readonly token: string | null | undefined;
}

export function testViewer(id: string, role: Role = 'user', name = 'Ada'): Viewer {
  return { id, name, role, permissions: [...PERMISSIONS_BY_ROLE[role]] };
}

export function testContext(
  overrides: Partial<Pick<SignedInContext, 'viewer' | 'sessionId' | 'address' | 'agent' | 'signal'>> = {},
): TestContext {
  let token: string | null | undefined;
  return {
    viewer: testViewer('01890000-0000-7000-8000-000000000001'),
    sessionId: '01890000-0000-7000-8000-000000000002',
    signal: new AbortController().signal,
    address: '192.0.2.1',
    agent: 'test/1.0',
    isSecure: false,
    ...overrides,
    setSessionToken: (value) => {
      token = value;
    },
    fail: (code: string, data: unknown, message?: string) => {
      throw new Failure(code, data, message);
    },
    get token() {
      return token;
    },
  };
}
