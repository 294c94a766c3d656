/** What the person who starts the server is told at its console: where to go, and the code that proves that they may. */
import { networkInterfaces } from 'node:os';

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
    ];
    write(`${lines.join('\n')}\n`);
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
