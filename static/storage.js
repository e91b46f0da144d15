/** Data that survives a reload: opened images, unfinished jobs, the recipe. Stored in this browser only (IndexedDB). */

const DATABASE = "tessera";
const STORE = "entries";

/** An identifier of an image, a job or a batch in this browser. randomUUID is missing on pages served without TLS. */
export const newId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

/** A key-value store. Dispatches "failed" when a value could not be stored: no space left, or no IndexedDB in a private window. */
export class KeyValueStore extends EventTarget {
  #database = open();

  constructor() { super(); this.#database.catch(() => {}); }

  /** The value of a key, or undefined. */
  get = (key) => this.#transact("readonly", (store) => store.get(key)).catch(() => undefined);

  /** Stores a value; Blobs are allowed. */
  set = (key, value) => this.#transact("readwrite", (store) => store.put(value, key)).catch(() => { this.dispatchEvent(new Event("failed")); });

  /** Deletes everything. */
  clear = () => this.#transact("readwrite", (store) => store.clear()).catch(() => {});

  async #transact(mode, operation) {
    const database = await this.#database;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = operation(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => { event.preventDefault(); reject(request.error); };
  });
}

const OWNER = "owner";

/**
 * Clears opened images and jobs when a user signs out, deletes the account, or another one signs in. Other tabs are
 * told, because they show and would store the same data again. Dispatches "cleared" when another tab has done it.
 */
export class LocalData extends EventTarget {
  #storage;
  #clearMemory;
  #channel = new BroadcastChannel("tessera");

  /** clearMemory(): empties the state and the jobs of this tab. */
  constructor(storage, clearMemory) {
    super();
    this.#storage = storage;
    this.#clearMemory = clearMemory;
    this.#channel.addEventListener("message", () => { this.#clearMemory(); this.dispatchEvent(new Event("cleared")); });
  }

  /** Removes everything, in all tabs. */
  async clear() {
    this.#clearMemory();
    await this.#storage.clear();
    this.#channel.postMessage("cleared");
  }

  /** Records whose data it is; the data of another user is removed. Work done before signing in is kept. */
  async claim(username) {
    const owner = await this.#storage.get(OWNER);
    if (owner === username) return;
    if (owner) await this.clear();
    await this.#storage.set(OWNER, username);
  }
}
