// The same for Node.js, which needs not be told where the engine is.

import { readFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';

import { initSync } from './index.js';

// Node.js 18 has it under another name.
globalThis.crypto ??= webcrypto;
initSync({ module: readFileSync(new URL('engine_bg.wasm', import.meta.url)) });

export * from './index.js';
export { default } from './index.js';
