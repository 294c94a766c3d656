/**
 * Thrown when the server must not start as things are. Its message is for the person who starts it: what is wrong,
 * with what, and what to do. It is printed without a stack.
 */
export class StartRefusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartRefusal';
  }
}
