/** DOMException, https://webidl.spec.whatwg.org/#idl-DOMException */
const CODES: Readonly<Record<string, number>> = {
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  WrongDocumentError: 4,
  InvalidCharacterError: 5,
  NoModificationAllowedError: 7,
  NotFoundError: 8,
  NotSupportedError: 9,
  InUseAttributeError: 10,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidModificationError: 13,
  NamespaceError: 14,
  InvalidAccessError: 15,
  TypeMismatchError: 17,
  SecurityError: 18,
  NetworkError: 19,
  AbortError: 20,
  URLMismatchError: 21,
  QuotaExceededError: 22,
  TimeoutError: 23,
  InvalidNodeTypeError: 24,
  DataCloneError: 25,
};

export class DOMException extends Error {
  readonly #name: string;

  constructor(message = '', nameOrOptions: string | { name?: string; cause?: unknown } = 'Error') {
    const options = typeof nameOrOptions === 'object' && nameOrOptions !== null ? nameOrOptions : undefined;
    super(`${message}`, options !== undefined && 'cause' in options ? { cause: options.cause } : undefined);
    this.#name = options === undefined ? `${nameOrOptions}` : (options.name ?? 'Error');
  }

  override get name(): string {
    return this.#name;
  }

  get code(): number {
    return Object.hasOwn(CODES, this.#name) ? (CODES[this.#name] ?? 0) : 0;
  }

  get [Symbol.toStringTag](): string {
    return 'DOMException';
  }
}

for (const [name, value] of Object.entries(CODES)) {
  const constant = name.replace(/Error$/, '').replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_');
  const property = { value, enumerable: true };
  Object.defineProperty(DOMException, `${constant.toUpperCase()}_ERR`, property);
  Object.defineProperty(DOMException.prototype, `${constant.toUpperCase()}_ERR`, property);
}
