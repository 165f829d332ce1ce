/** A policy: text in YAML or JSON, or an object. */
export type PolicySource = string | object;

/** Milliseconds since the Unix epoch, or a `Date`. */
export type Time = number | Date;

/**
 * A string in which each character is one byte, as the Fetch standard has headers, or bytes. A character above U+00FF is a
 * `TypeError`.
 */
export type ByteString = string | Uint8Array;

/** Header lines in order, duplicates as they are: `Headers`, a `Map`, or pairs of name and value. */
export type HeaderLines = Iterable<readonly [ByteString, ByteString] | ByteString[]>;

/** One thing that was found in a policy. */
export interface Diagnostic {
  /** What it is, in kebab-case: `unknown-key`. */
  code: string;
  /** No policy with an error serves. */
  severity: 'error' | 'warning';
  /** A JSON Pointer to the member concerned. */
  pointer: string;
  message: string;
  /** What to do about it. */
  help?: string;
  /** The place in the text, each from 1; not there if the policy is an object. */
  line?: number;
  column?: number;
  end_line?: number;
  end_column?: number;
}

/** A request's head. */
export interface RequestHead {
  /** As sent; methods are case-sensitive. */
  method: ByteString;
  /** The request target: path and query as sent, not decoded. */
  path: ByteString;
  /** What `Host` or `:authority` said. */
  host?: ByteString | null;
  /** The scheme of the client's own connection; `http` without it. */
  scheme?: 'http' | 'https' | (string & {}) | null;
  /** The address at the other end of the connection, with or without a port. */
  client?: string | null;
  headers?: HeaderLines | null;
  /** Whether a body follows; without it, what the headers say. */
  body?: boolean | null;
  /** Whether `finish` is to explain the exchange. */
  explain?: boolean;
  at?: Time;
}

/** A response's head. */
export interface ResponseHead {
  status: number;
  headers?: HeaderLines | null;
  at?: Time;
}

/** One change to a message's headers. */
export type Edit =
  | { change: 'add' | 'replace'; name: string; value: string }
  | { change: 'remove'; name: string };

/** What goes on of a message. */
export interface Going {
  /** All headers that it goes on with. */
  headers: [string, string][];
  /** What was changed about them. */
  edits: Edit[];
}

/** The message is answered with this, and goes no further. The body's length is to be added. */
export interface Reply {
  decision: 'reply';
  status: number;
  headers: [string, string][];
  body: string;
}

/** What is to become of a request by its head. With `needBody` nothing of it may go on before `Exchange.body`. */
export type RequestDecision =
  | (Going & {
      decision: 'continue' | 'needBody';
      /** Whether `Exchange.body` is to see the body: to judge it, to count it, or to report on it. */
      watchesBody: boolean;
    })
  | Reply;

/** What is to become of a request by its body. `needBody` comes for the pieces before the last. */
export type BodyDecision =
  | (Going & {
      decision: 'continue';
      /** What goes on in place of the body; not there if that goes on as it came. */
      body?: Uint8Array;
    })
  | { decision: 'needBody' }
  | Reply;

/** What is to become of a response. */
export type ResponseDecision = (Going & { decision: 'continue' }) | Reply;

/** What one rule made of a request. */
export interface ExplainedRule {
  /** The section of the policy: `request.hosts`. */
  rule: string;
  mode: 'enforce' | 'report' | 'off';
  decision:
    | 'passed' | 'refused' | 'answered' | 'masked' | 'tagged'
    | 'would-refuse' | 'would-mask' | 'would-tag' | 'unjudged' | 'not-reached' | 'off';
  status: number | null;
  code: string | null;
  why: string;
}

/** An exchange rule by rule, as `portcullis explain` has it. */
export interface Explanation {
  policy: string;
  decision: 'passed' | 'refused' | 'answered';
  status: number | null;
  code: string | null;
  method: string;
  path: string;
  /** The method that a preflight asks for, and is judged as. */
  preflight_for: string | null;
  client: {
    address: string | null;
    peer: string | null;
    because: 'peer' | 'trusted-peer' | 'header' | 'host' | 'hidden' | 'unknown';
    header: string | null;
  };
  scheme: { name: 'http' | 'https'; because: 'connection' | 'header'; header: string | null };
  /** As normalised. */
  host: string | null;
  route: string | null;
  rules: ExplainedRule[];
  request_changes: Edit[];
  response_changes: Edit[];
}

/** What there is to say of an exchange that is over. */
export interface Finished {
  /** One line of JSON, as a gateway would log it; `null` if it would log nothing. */
  log: string | null;
  /** `null` if none was asked for. */
  explanation: Explanation | null;
}

/** Loads the engine, once; it is found beside this module unless a module, a response or bytes are given. */
export default function load(source?: { module_or_path: unknown }): Promise<unknown>;

/** Loads the engine from a compiled module or its bytes, at once. */
export function initSync(source: { module: WebAssembly.Module | BufferSource }): unknown;

/** Judges a policy. All that is wrong is found at once; it would serve if none of it has the severity `error`. */
export function check(policy: PolicySource): Diagnostic[];

/** What is thrown for a policy that a gateway would refuse. */
export class PolicyError extends Error {
  constructor(diagnostics: Diagnostic[]);
  diagnostics: Diagnostic[];
}

/** A policy that decides. What it counts for rate limits takes at most 128 MiB. */
export class Policy {
  /** Throws a `PolicyError` if a gateway would refuse it. */
  constructor(policy: PolicySource);
  readonly name: string;
  /** What tells this policy from others of its name: 16 hexadecimal digits. */
  readonly hash: string;
  /** The warnings about it. */
  readonly diagnostics: Diagnostic[];
  /**
   * Puts another policy in the place of this one. What was counted stays; exchanges that have begun end as they began.
   * Throws a `PolicyError` if the other is invalid, and goes on with this one.
   */
  reload(policy: PolicySource): void;
  /** Judges a request by its head. */
  request(head: RequestHead): Exchange;
}

/** One request and its response. Once a decision was a reply, it is the answer to whatever follows. */
export interface Exchange {
  /** On the request's head; after a later reply, that. */
  readonly decision: RequestDecision;
  /**
   * Takes the request's body, or a piece of it with `last` false. Needed where the decision was `needBody`, of use where it
   * `watchesBody`.
   */
  body(piece: Uint8Array | string, last?: boolean, at?: Time): BodyDecision;
  /** Judges the upstream's response by its head. A reply of the policy's own is not shown here: it has its headers. */
  response(head: ResponseHead): ResponseDecision;
  /** Ends the exchange. */
  finish(at?: Time): Finished;
}
