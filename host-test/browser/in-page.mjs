// What runs inside the pages. Each function is sent to the browser by itself, so it uses nothing from outside of it.

/** A fetch, and what the page may read of the response. */
export async function fetching({ url, init }) {
  try {
    const response = await fetch(url, init);
    const { status, type } = response;
    return { status, type, headers: Object.fromEntries(response.headers), body: await response.text() };
  } catch (error) {
    return { blocked: String(error) };
  }
}

/** An XMLHttpRequest that wants to hear how its upload gets on. */
export function uploading({ url, init }) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', () => {});
    request.addEventListener('load', () => resolve({ status: request.status, type: 'cors', headers: {}, body: request.responseText }));
    request.addEventListener('error', () => resolve({ blocked: 'error' }));
    request.open(init.method, url);
    request.send(init.body);
  });
}

/** Submits a form, which leads away from the page. */
export function submitting({ url }) {
  const form = document.createElement('form');
  Object.assign(form, { method: 'POST', action: url });
  form.innerHTML = '<input name="amount" value="1000">';
  document.body.append(form);
  form.submit();
}

/** Opens a WebSocket, and what is first heard on it. */
export function connecting({ url }) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'));
    socket.addEventListener('message', (event) => {
      resolve({ heard: event.data });
      socket.close();
    });
    socket.addEventListener('error', () => resolve({ blocked: 'error' }));
  });
}

/** Adds a frame whose origin is opaque: it is written `null`. */
export function framing() {
  return new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.setAttribute('sandbox', 'allow-scripts allow-forms');
    frame.srcdoc = '<!doctype html><title>frame</title>';
    frame.addEventListener('load', resolve);
    document.body.append(frame);
  });
}
