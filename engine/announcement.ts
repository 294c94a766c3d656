/** What the person who starts the server is told at its console: where to go, and the code that proves that they may. */
import { networkInterfaces } from 'node:os';
import type { FolderCheck } from '#protocol/schema/library.ts';

export interface AnnouncementOptions {
  /** The address that it listens on. */
  readonly host: string;
  readonly port: number;
  /** The address that people use, where a proxy stands in front. */
  readonly publicUrl: string | null;
  readonly write: (text: string) => void;
}

export class Announcement {
  readonly #options: AnnouncementOptions;
  #code: string | null = null;
  #isReady = false;
  readonly #troubles: string[] = [];

  constructor(options: AnnouncementOptions) {
    this.#options = options;
  }

  /** The address to open on this machine. */
  get url(): string {
    const { host, port, publicUrl } = this.#options;
    return publicUrl ?? `http://${isEverywhere(host) ? 'localhost' : bracketed(host)}:${port}`;
  }

  /** A code that is worth something from now on. Printed with the addresses, or at once where those have been printed. */
  setupCode(code: string): void {
    this.#code = code;
    if (this.#isReady) this.#options.write(`\nA new setup code, because the other was guessed at: ${code}\n\n`);
  }

  /** A folder that the person named at the start, and that is not what they meant. Printed below the addresses. */
  folderProblem(check: FolderCheck): void {
    this.#troubles.push(folderTrouble(check));
  }

  ready(): void {
    this.#isReady = true;
    const { host, port, publicUrl, write } = this.#options;
    const elsewhere = isEverywhere(host) && publicUrl === null ? networkAddresses() : [];
    const lines = [
      '',
      `Matinee is ready: ${this.url}`,
      ...elsewhere.map((address) => `  on your network: http://${address}:${port}`),
      ...(this.#code === null
        ? []
        : [
            '',
            `Setup code: ${this.#code}`,
            'Open the address and type the code to make the first account. It works once.',
          ]),
      '',
      ...this.#troubles.flatMap((trouble) => [trouble, '']),
    ];
    write(`${lines.join('\n')}\n`);
  }
}

function folderTrouble({ path, problem, at, runsAs }: FolderCheck): string {
  const later = 'It is looked for every few seconds; another can be chosen in the browser.';
  switch (problem) {
    case 'notADirectory':
      return `${at?.path ?? path} is a file, not a folder of movies. ${later}`;
    case 'notReadable':
      return `The user ${runsAs} may not read the folder of movies ${path}. The browser shows the command that mends it.`;
    case 'notReachable':
      return `The user ${runsAs} may not enter ${at?.path ?? path}, on the way to the folder of movies ${path}.`;
    case 'insideALibrary':
      return `${path} lies inside another library, or holds one, so it was not added: its movies would show twice.`;
    case 'insideDataFolder':
      return `${path} is where Matinee keeps its own files, so it was not added.`;
    default:
      return `The folder of movies ${path} is not there. ${later}`;
  }
}

const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::';
const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** IPv4 addresses under which others on the network reach this machine; those of containers and bridges are left out. */
function networkAddresses(): string[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => !/^(?:docker|br-|veth|virbr|cni|flannel)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
}
