"""An upstream that checks nothing: 200 and `{}` to whatever arrives. What is refused behind it, the gateway refused."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def __getattr__(self, name):
        """Any method is fine, also one that nobody has heard of."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self):
        self.read_body()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"{}")

    def read_body(self):
        """Reads the request to its end, or the next one on this connection would start in the middle of it."""
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            self.rfile.read(int(self.headers.get("content-length") or 0))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            self.rfile.read(size + 2)
        while self.rfile.readline().strip():
            pass

    def log_message(self, *_):
        """The tester says what it sent."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Echo)
print(server.server_port, flush=True)
server.serve_forever()
