/** An upload token for one key. It is valid for minutes and is renewed when an upload takes longer. */

/** ticket: the server's response, {token, key, upload_url, url, expires}. renew(key): requests another one for the same key. */
export class UploadToken {
  #ticket;
  #renew;
  #renewal = null;

  constructor(ticket, renew) {
    this.#ticket = ticket;
    this.#renew = renew;
  }

  /** The latest response of the server. */
  get ticket() { return this.#ticket; }

  /** Calls action(token). If the bucket reports an expired token, renews it and calls the action once more. */
  async use(action) {
    const { token } = this.#ticket;
    try {
      return await action(token);
    } catch (error) {
      if (error.slug !== "upload_token") throw error;
      if (token === this.#ticket.token) await this.#refresh();
      return action(this.#ticket.token);
    }
  }

  /** Parts that fail at the same time share one renewal. */
  #refresh() {
    this.#renewal ??= this.#renew(this.#ticket.key)
      .then((ticket) => { this.#ticket = ticket; })
      .finally(() => { this.#renewal = null; });
    return this.#renewal;
  }
}
