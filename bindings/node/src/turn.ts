/*
 * Turns of the event loop. A loop over what is there already awaits promises that are settled, and so never leaves its turn: timers, sockets and the other
 * loops of the process would stand still until it has caught up.
 */

/** Milliseconds that such a loop may keep other work waiting. */
const TURN = 10;

/** When a loop has to let others have their turn. @internal */
export class Turn {
  #ends = 0;

  /** It is time to. */
  get isOver(): boolean {
    return performance.now() > this.#ends;
  }

  /** Let the event loop go round. */
  async pass(): Promise<void> {
    await new Promise(setImmediate);
    this.#ends = performance.now() + TURN;
  }
}
