// `on_disallowed: reject`: what has no preflight and would do its harm unread is refused before the upstream, and a site's own
// requests are not. What says whose they are: `Origin` (Fetch standard 3.1) and `Sec-Fetch-Site` (Fetch Metadata).

import { GREETING } from '../upstream.mjs';

const FORBIDDEN = /has been blocked by CORS policy: No 'Access-Control-Allow-Origin'/;
const HANDSHAKE = /WebSocket.*Unexpected response code: 403/s;
const NO_TUNNEL = 'the local gateway opens no tunnels';

// A page of the API's own, as the gateway gives it to the browser.
const page = (headers = {}) => ({
  '/reject/page': { headers: { 'content-type': 'text/html', ...headers }, body: '<!doctype html><link rel="icon" href="data:,">' },
});
const own = { from: 'gateway', page: '/reject/page' };
const form = { path: '/reject/a', via: 'form' };
const post = { path: '/reject/a', method: 'POST', body: 'text' };

export const cases = [
  {
    title: 'under reject a listed origin reads',
    sends: [{ path: '/reject/a', reads: {} }, { ...post, reads: {} }],
    reached: ['GET', 'POST'],
  },
  {
    title: 'under reject a fetch of an origin that is not listed does not reach the upstream',
    sends: [{ path: '/reject/a', from: 'unlisted', blocked: FORBIDDEN }, { ...post, from: 'evil', blocked: FORBIDDEN }],
    reached: [],
  },
  {
    title: 'under strip it does (control)',
    sends: [{ ...post, path: '/listed/a', from: 'evil', blocked: FORBIDDEN }],
    reached: ['POST'],
  },
  {
    title: 'under reject a post that no one wants to read does not reach the upstream',
    sends: [{ ...post, from: 'evil', mode: 'no-cors', opaque: true }],
    reached: [],
  },
  {
    title: 'under reject what comes without an origin passes',
    sends: [{ path: '/reject/a', from: 'evil', mode: 'no-cors', opaque: true }],
    reached: ['GET'],
  },
  {
    title: 'under reject the null origin of a sandboxed frame does not reach the upstream',
    sends: [{ ...post, sandboxed: true, blocked: FORBIDDEN }],
    reached: [],
  },

  {
    title: "under reject a form of another site's page is refused",
    sends: [{ ...form, from: 'evil', answered: 403 }],
    reached: [],
  },
  {
    title: "under reject a form of another site's page that sends no referrer, and so a null origin, is refused",
    sends: [{ ...form, from: 'evil', page: '/no-referrer', answered: 403 }],
    reached: [],
  },
  {
    title: 'under reject a form of a sandboxed frame is refused',
    sends: [{ ...form, sandboxed: true, answered: 403 }],
    reached: [],
  },
  {
    title: 'under reject a form of a listed page passes',
    sends: [{ ...form, answered: 200 }],
    reached: ['POST'],
  },

  {
    title: "under reject the API's own page may post",
    answers: page(),
    sends: [
      { ...own, ...post, reads: {} },
      { ...own, path: '/reject/a', method: 'PUT', headers: { 'x-other': '1' }, reads: {} },
    ],
    reached: ['GET', 'POST', 'PUT'],
  },
  {
    title: "under reject the form of the API's own page passes",
    answers: page(),
    sends: [{ ...own, ...form, answered: 200 }],
    reached: ['GET', 'POST'],
  },
  {
    title: "under reject the form of the API's own page passes where it sends no referrer, and so a null origin",
    answers: {
      ...page({ 'referrer-policy': 'no-referrer' }),
      // The trap is there: the browser does write null.
      '/reject/a': ({ headers }) => ({ status: headers.origin === 'null' ? 200 : 500 }),
    },
    sends: [{ ...own, ...form, answered: 200 }],
    reached: ['GET', 'POST'],
  },

  {
    title: "under reject another site's WebSocket does not reach the upstream",
    sends: [{ path: '/reject/a', via: 'socket', from: 'evil', blocked: HANDSHAKE }],
    reached: [],
  },
  {
    title: 'under reject the WebSocket of an origin of the same site that is not listed does not reach the upstream',
    sends: [{ path: '/reject/a', via: 'socket', from: 'unlisted', blocked: HANDSHAKE }],
    reached: [],
  },
  {
    title: "under reject a listed origin's WebSocket opens",
    except: { serve: NO_TUNNEL },
    sends: [{ path: '/reject/a', via: 'socket', hears: GREETING }],
    reached: ['WEBSOCKET'],
  },
  {
    title: "under strip another site's WebSocket opens: CORS does not cover it (control)",
    except: { serve: NO_TUNNEL },
    sends: [{ path: '/listed/a', via: 'socket', from: 'evil', hears: GREETING }],
    reached: ['WEBSOCKET'],
  },
];
