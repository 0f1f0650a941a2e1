"""A mail server for the tests: aiosmtpd, on a port of its own choice unless one is given.

Argument: JSON with `mode` (plain, starttls, tls), `auth`, `data` (an answer to refuse mails with), `certificate`, `key`,
`port`.
Prints the port, then every mail as a line of JSON. Ends when its standard input does.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

options = json.loads(sys.argv[1])


def say(thing):
    print(json.dumps(thing), flush=True)


class Handler:
    def __init__(self):
        self.greylisted = set()

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("refused"):
            return "550 5.1.1 no such user <here>"
        if address.startswith("full"):
            return "452 4.2.2 mailbox full"
        if address.startswith("grey") and address not in self.greylisted:
            self.greylisted.add(address)
            return "450 4.7.1 greylisted, come back"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if options.get("data"):
            return options["data"]
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: mail.get_body((kind,)).get_content()
        say(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "hello": session.host_name,
                "tls": session.ssl is not None or options["mode"] == "tls",
                "user": session.auth_data.login.decode() if session.auth_data else None,
                "headers": {name.lower(): str(value) for name, value in mail.items()},
                "plain": part("plain"),
                "html": part("html"),
            }
        )
        return "250 2.0.0 queued as 4711"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"netwark", b"pass word \xc3\xa9")
    return AuthResult(success=good, auth_data=data if good else None, handled=False)


async def main():
    context = None
    if options.get("certificate"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options["certificate"], options["key"])
    starttls = options["mode"] == "starttls"
    handler = Handler()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            handler,
            hostname="mail.example.org",
            tls_context=context if starttls else None,
            require_starttls=starttls,
            auth_required=options.get("auth", False),
            auth_require_tls=starttls,
            authenticator=authenticate,
            loop=loop,
        ),
        "127.0.0.1",
        options.get("port", 0),
        ssl=context if options["mode"] == "tls" else None,
    )
    say(server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
