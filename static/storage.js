/** Data that survives a reload: opened images, unfinished jobs, the recipe. Stored in this browser only (IndexedDB). */

const DATABASE = "tessera";
const STORE = "entries";

/** An identifier of an image, a job or a batch in this browser. randomUUID is missing on pages served without TLS. */
export const newId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

let latest = 0;

/** The time in milliseconds, later than at any call before: the order in which images and jobs were created. */
export const newTime = () => { latest = Math.max(Date.now(), latest + 0.001); return latest; };

/** A key-value store. Dispatches "failed" when a value could not be stored: no space left, or no IndexedDB in a private window. */
export class KeyValueStore extends EventTarget {
  #database = open();

  constructor() { super(); this.#database.catch(() => {}); }

  /** The value of a key, or undefined. */
  get = (key) => this.#transact("readonly", (store) => store.get(key)).catch(() => undefined);

  /** The values of all keys that begin with a prefix, oldest first by their `created`. */
  all = async (prefix) => {
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const values = await this.#transact("readonly", (store) => store.getAll(range)).catch(() => []);
    return values.map(withBlobs).sort((a, b) => a.created - b.created);
  };

  /** Stores a value; Blobs are allowed. WebKit's private windows refuse them: their bytes are stored instead. */
  set = async (key, value) => {
    const put = (stored) => this.#transact("readwrite", (store) => store.put(stored, key));
    try {
      await put(value).catch(async () => put(await withoutBlobs(value)));
    } catch {
      this.dispatchEvent(new Event("failed"));
    }
  };

  delete = (key) => this.#transact("readwrite", (store) => store.delete(key)).catch(() => {});

  /** Deletes everything. */
  clear = () => this.#transact("readwrite", (store) => store.clear()).catch(() => {});

  async #transact(mode, operation) {
    const database = await this.#database;
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = operation(transaction.objectStore(STORE));
      transaction.commit?.(); // a browser aborts what a page that is left has not committed
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

/** The value with each Blob as {bytes, type, name}. */
async function withoutBlobs(value) {
  if (value instanceof Blob) return { bytes: await value.arrayBuffer(), type: value.type, name: value.name };
  if (value?.constructor !== Object) return value;
  return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, field]) => [key, await withoutBlobs(field)])));
}

function withBlobs(value) {
  const restore = (field) => {
    if (!(field?.bytes instanceof ArrayBuffer)) return field;
    const { bytes, type, name } = field;
    return name ? new File([bytes], name, { type }) : new Blob([bytes], { type });
  };
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, restore(field)]));
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
