"""A broker that asks who one is and what one may: listeners with SASL and TLS beside the plain one, which is the
administrator's.

    broker = t.attach(SecuredBroker()).start()
    worker.config.update(broker.login())
    broker.grant_all(worker.config["topic.prefix"])
"""

import subprocess

from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType, \
    ResourceType

from lib.broker import Broker
from lib.support import free_port, wait_for

USER, PASSWORD = "cdc", "right"

_JAAS = "org.apache.kafka.common.security.%s required%s;"


def certificates(directory, name):
    """An authority (NAME.ca.pem) and a server's key and certificate of it (NAME.pem)."""
    directory.mkdir(exist_ok=True)
    authority, server = directory / (name + ".ca.pem"), directory / (name + ".pem")
    key, request = directory / (name + ".key"), directory / (name + ".csr")

    def openssl(*arguments):
        subprocess.run(["openssl", *[str(argument) for argument in arguments]], check=True, capture_output=True)

    extension = directory / (name + ".ext")
    extension.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory / (name + ".ca.key"), "-out", authority,
            "-subj", "/CN=%s" % name, "-days", 3650)
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=localhost")
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", directory / (name + ".ca.key"), "-CAcreateserial",
            "-out", directory / (name + ".crt"), "-days", 3650, "-extfile", extension)
    server.write_text(key.read_text() + (directory / (name + ".crt")).read_text())
    return authority, server


class SecuredBroker(Broker):
    def __init__(self):
        super().__init__()
        self.sasl_port, self.ssl_port = free_port(), free_port()
        self.authority, server = certificates(self.dir / "certificates", "ours")
        self.properties.update({
            "listener.security.protocol.map":
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
            "listener.name.sasl_plaintext.plain.sasl.jaas.config":
                _JAAS % ("plain.PlainLoginModule", ' user_%s="%s"' % (USER, PASSWORD)),
            "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config": _JAAS % ("scram.ScramLoginModule", ""),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": server,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        })

    def _configure(self):
        own = "PLAINTEXT://127.0.0.1:%d,SASL_PLAINTEXT://127.0.0.1:%d,SSL://127.0.0.1:%d" % (
            self.port, self.sasl_port, self.ssl_port)
        self.properties["advertised.listeners"] = own
        self.properties["listeners"] = own + ",CONTROLLER://127.0.0.1:%d" % self.controller_port
        super()._configure()

    def login(self, mechanism="PLAIN", password=PASSWORD):
        return {"kafka.bootstrap.servers": "127.0.0.1:%d" % self.sasl_port,
                "kafka.security.protocol": "sasl_plaintext", "kafka.sasl.mechanism": mechanism,
                "kafka.sasl.username": USER, "kafka.sasl.password": password}

    def tls(self, authority):
        return {"kafka.bootstrap.servers": "127.0.0.1:%d" % self.ssl_port, "kafka.security.protocol": "ssl",
                "kafka.ssl.ca.location": authority}

    @staticmethod
    def _entry(form, kind, name, operation, permission):
        return form(ResourceType[kind], name, ResourcePatternType.PREFIXED, "User:" + USER, "*", AclOperation[operation],
                    AclPermissionType[permission])

    def _change(self, kind, name, operations, permission, remove=False):
        """Returns when the broker goes by it, which is later than its answer."""
        admin = self.admin()
        for operation in operations:
            where = self._entry(AclBindingFilter, kind, name, operation, permission)
            done = admin.delete_acls([where]) if remove else \
                admin.create_acls([self._entry(AclBinding, kind, name, operation, permission)])
            for future in done.values():
                future.result(20)
            wait_for(lambda: bool(admin.describe_acls(where).result(20)) != remove, 20, "the broker to go by %s" % where)

    def grant(self, kind, name, *operations):
        """name: what it begins with."""
        self._change(kind, name, operations, "ALLOW")

    def grant_all(self, prefix):
        """What a worker with this prefix needs."""
        self.grant("TRANSACTIONAL_ID", prefix, "DESCRIBE", "WRITE")
        for topic in (prefix, "__cdc_sink_positions"):
            self.grant("TOPIC", topic, "DESCRIBE", "CREATE", "WRITE", "DESCRIBE_CONFIGS", "READ")

    def deny(self, kind, name, operation, lift=False):
        """Takes a right although it was granted; lift: gives it back."""
        self._change(kind, name, (operation,), "DENY", lift)
