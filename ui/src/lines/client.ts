import type { Asks, FromEngine, ToEngine } from './messages';

/** Where an engine runs. */
export interface Port<Config> {
  post: (message: ToEngine<Config>) => void;
  end: () => void;
}

/** Starts an engine, and returns where its messages go. */
export type StartEngine<Config> = (receive: (message: FromEngine) => void) => Port<Config>;

/** The page's side of an engine: each question has one answer. */
export class Client<Config> {
  readonly #port: Port<Config>;
  readonly #waiting = new Map<number, (answer: never) => void>();
  #lastId = 0;

  /** @param changed Called when there is something new, once until the next view is asked for. */
  constructor(
    start: StartEngine<Config>,
    readonly changed: () => void,
  ) {
    this.#port = start((message) => {
      if (message.type === 'changed') {
        this.changed();
        return;
      }
      this.#waiting.get(message.id)?.(message.answer as never);
      this.#waiting.delete(message.id);
    });
  }

  /** Asks the engine. The answer never comes after {@link Client.close}. */
  ask<Name extends keyof Asks>(name: Name, ask: Asks[Name]['ask']): Promise<Asks[Name]['answer']> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      // The name and its question belong together, which a union can't say of two parameters.
      this.send({ type: 'ask', id, name, ask } as ToEngine<Config>);
    });
  }

  /** Sends what has no answer. */
  send(message: ToEngine<Config>) {
    this.#port.post(message);
  }

  /** Ends the engine and its feed. */
  close() {
    this.send({ type: 'close' });
    this.#waiting.clear();
    this.#port.end();
  }
}
