"""A schema registry with Confluent's API, strict where a real one would be lenient.

    registry = Registry().start()
    registry.subjects["cdc.public.t-value"]         # the versions: [(id, schema), ...]

Every request is checked: method, path, media types, members of the body; a schema must parse and be able to
read what the version before it wrote (BACKWARD, the default of Confluent's registry).  make check-registry
runs the same tests against Apicurio's.
"""

import base64
import hashlib
import http.server
import io
import json
import os
import struct
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import confluent_kafka as kafka
import fastavro

from lib.support import CACHE, TOP, Timeout, at_end, free_port, scratch, tail, undo_now, wait_for

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
PROMOTED = {"int": ("long", "float", "double"), "long": ("float", "double"), "float": ("double",),
            "string": ("bytes",), "bytes": ("string",)}


class _Names(dict):
    """The named types of one schema, as they are come upon."""

    def resolve(self, schema, space):
        """(the schema without references, the namespace inside of it)"""
        if isinstance(schema, str) and (schema in self or "%s.%s" % (space, schema) in self):
            return self.get(schema) or self["%s.%s" % (space, schema)]
        if isinstance(schema, dict) and schema["type"] == "record":
            inner = schema.get("namespace", space)
            found = (schema, inner)
            self["%s.%s" % (inner, schema["name"])] = found
            return found
        return schema, space


def _kind(schema):
    return schema if isinstance(schema, str) else "union" if isinstance(schema, list) else schema["type"]


class _Reading:
    """Whether reader can read what writer wrote; the first reason why not is in why."""

    def __init__(self, reader, writer):
        self.readers, self.writers = _Names(), _Names()
        self.seen = set()
        self.why = None
        self.ok = self._reads((reader, ""), (writer, ""), "")

    def _not(self, why):
        self.why = self.why or why
        return False

    def _reads(self, reader, writer, path):
        reader, reader_space = self.readers.resolve(*reader)
        writer, writer_space = self.writers.resolve(*writer)
        pair = (id(reader), id(writer))
        if isinstance(reader, dict) and pair in self.seen:
            return True
        self.seen.add(pair)
        kinds = _kind(reader), _kind(writer)
        if kinds[1] == "union":
            return all(self._reads((reader, reader_space), (branch, writer_space), path) for branch in writer)
        if kinds[0] == "union":
            before = self.why
            if any(self._reads((branch, reader_space), (writer, writer_space), path) for branch in reader):
                self.why = before
                return True
            return self._not("%s: no branch reads %s" % (path, kinds[1]))
        if kinds[0] != kinds[1]:
            return kinds[0] in PROMOTED.get(kinds[1], ()) or self._not("%s: %s is no %s" % ((path,) + kinds))
        if kinds[0] == "record":
            return self._reads_record((reader, reader_space), (writer, writer_space), path)
        for inside in ("items", "values"):
            if isinstance(reader, dict) and inside in reader:
                return self._reads((reader[inside], reader_space), (writer[inside], writer_space), path)
        return True

    def _reads_record(self, reader, writer, path):
        reader, reader_space = reader
        writer, writer_space = writer
        if reader["name"] != writer["name"]:
            return self._not("%s: the record has another name" % path)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            where = "%s/%s" % (path, field["name"])
            if field["name"] not in written:
                if "default" not in field:
                    return self._not("%s: new, and without a default" % where)
            elif not self._reads((field["type"], reader_space), (written[field["name"]]["type"], writer_space),
                                 where):
                return False
        return True


class _Refused(Exception):
    """status, code, message"""


class Registry:
    """With user (\"name:password\") it wants basic authentication."""

    def __init__(self, user=None):
        self.user = user
        self.port = free_port()
        self.subjects = {}
        self.ids = {}
        self.log = scratch("registry") / "requests.log"
        self._lock = threading.Lock()
        self._server = None
        self._stop_at_end = at_end(self.stop)

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def start(self):
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                registry.answer(self)

            do_GET = do_PUT = do_DELETE = do_POST

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        """Nobody listens any more; what was registered stays for another start()."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def destroy(self):
        undo_now(self._stop_at_end)

    def schema(self, number):
        """The schema of an id, parsed by fastavro."""
        return _parsed(self.ids[number])

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        try:
            with self._lock:
                status, answer = 200, self._handle(request, body)
        except _Refused as refusal:
            status, code, message = refusal.args
            answer = {"error_code": code, "message": message}
        data = json.dumps(answer).encode()
        with open(self.log, "a", encoding="utf-8") as log:
            print(request.command, request.path, status, answer, file=log)
        request.send_response(status)
        request.send_header("Content-Type", MEDIA_TYPE)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _handle(self, request, body):
        if self.user is not None:
            expected = "Basic " + base64.b64encode(self.user.encode()).decode()
            if request.headers.get("Authorization") != expected:
                raise _Refused(401, 401, "Unauthorized")
        if (request.command, request.path) == ("GET", "/schemas/types"):
            return ["JSON", "PROTOBUF", "AVRO"]
        parts = urllib.parse.urlsplit(request.path)
        steps = [urllib.parse.unquote(step) for step in parts.path.split("/")[1:]]
        if request.command != "POST" or steps[0] != "subjects" or len(steps) not in (2, 3):
            raise _Refused(404, 404, "HTTP 404 Not Found")
        if request.headers.get("Content-Type") != MEDIA_TYPE:
            raise _Refused(415, 415, "HTTP 415 Unsupported Media Type")
        if MEDIA_TYPE not in request.headers.get("Accept", ""):
            raise _Refused(406, 406, "HTTP 406 Not Acceptable")
        content = json.loads(body)
        if set(content) != {"schema"} or not isinstance(content["schema"], str):
            raise _Refused(422, 42201, "members of the body: %s" % sorted(content))
        if len(steps) == 2:
            return self._look_up(steps[1], content["schema"])
        if steps[2] != "versions":
            raise _Refused(404, 404, "HTTP 404 Not Found")
        return {"id": self._register(steps[1], content["schema"])}

    def _look_up(self, subject, schema):
        for version, (number, known) in enumerate(self.subjects.get(subject, ()), 1):
            if json.loads(known) == json.loads(schema):
                return {"subject": subject, "id": number, "version": version, "schema": known}
        raise _Refused(404, 40403, "Schema not found")

    def _register(self, subject, schema):
        try:
            _parsed(schema)
        except Exception as error:  # whatever fastavro finds wrong
            raise _Refused(422, 42201, "Invalid schema: %s" % error) from error
        versions = self.subjects.setdefault(subject, [])
        for number, known in versions:
            if json.loads(known) == json.loads(schema):
                return number
        if versions:
            reading = _Reading(json.loads(schema), json.loads(versions[-1][1]))
            if not reading.ok:
                raise _Refused(409, 409, "Schema being registered is incompatible with an earlier schema for "
                                         "subject \"%s\", details: %s" % (subject, reading.why))
        number = next((n for n, known in self.ids.items() if known == schema), len(self.ids) + 1)
        self.ids[number] = schema
        versions.append((number, schema))
        return number


def _without_logical(schema):
    """Values as they are encoded, whatever they mean."""
    if isinstance(schema, dict):
        return {name: _without_logical(value) for name, value in schema.items() if name != "logicalType"}
    if isinstance(schema, list):
        return [_without_logical(value) for value in schema]
    return schema


def _parsed(text):
    fastavro.parse_schema(json.loads(text))
    return fastavro.parse_schema(_without_logical(json.loads(text)))


def _archive():
    stamp = hashlib.sha256()
    for name in ("pom.xml", "jars.sha256"):
        stamp.update((TOP / "regress" / "registry" / name).read_bytes())
    found = CACHE.glob("registry-%s/*.tar.gz" % stamp.hexdigest()[:12])
    return next(found)


class Apicurio:
    """Apicurio Registry's Confluent API, in memory."""

    def __init__(self):
        self.directory = scratch("apicurio")
        self.port = free_port()
        self.log = scratch("registry") / "apicurio.log"
        self.process = None
        self._stop_at_end = at_end(self.stop)

    @property
    def url(self):
        return "http://127.0.0.1:%d/apis/ccompat/v7" % self.port

    def start(self):
        subprocess.run(["tar", "-xzf", str(_archive()), "-C", str(self.directory)], check=True)
        command = ["java", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-Dquarkus.http.port=%d" % self.port,
                   "-Dquarkus.http.host=127.0.0.1", "-jar"]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command + [str(next(self.directory.glob("*-runner.jar")))], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, cwd=self.log.parent, env=dict(os.environ, APICURIO_STORAGE_KIND="sql"))
        wait_for(self._serves, 120, lambda: "the registry to start:\n" + tail(self.log))
        self._request("PUT", "/config", {"compatibility": "BACKWARD"})
        return self

    def _serves(self):
        if self.process.poll() is not None:
            raise RuntimeError("the registry ended:\n" + tail(self.log))
        try:
            return self._request("GET", "/subjects") is not None
        except OSError:
            return False

    def _request(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": MEDIA_TYPE})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    @property
    def subjects(self):
        """As Registry's."""
        found = {}
        for subject in self._request("GET", "/subjects"):
            path = "/subjects/%s/versions" % urllib.parse.quote(subject)
            versions = [self._request("GET", "%s/%s" % (path, n)) for n in self._request("GET", path)]
            found[subject] = [(version["id"], version["schema"]) for version in versions]
        return found

    def schema(self, number):
        return _parsed(self._request("GET", "/schemas/ids/%d" % number)["schema"])

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def destroy(self):
        undo_now(self._stop_at_end)


def read_messages(broker, topic, timeout=60):
    """What is committed in a topic of one partition, keys and values as bytes: confluent_kafka's messages."""
    consumer = kafka.Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "binary", "enable.auto.commit": False,
                               "isolation.level": "read_committed", "enable.partition.eof": True})
    consumer.assign([kafka.TopicPartition(topic, 0, kafka.OFFSET_BEGINNING)])
    messages = []
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None:
                continue
            if message.error() is None:
                messages.append(message)
            elif message.error().code() == kafka.KafkaError._PARTITION_EOF:
                return messages
            else:
                raise kafka.KafkaException(message.error())
    finally:
        consumer.close()
    raise Timeout("read %s for %s s without coming to its end" % (topic, timeout))


class Decoder:
    """Messages in Confluent's wire format, by the schemas of a registry."""

    def __init__(self, registry):
        self._registry = registry
        self._schemas = {}

    def decode(self, message):
        """What is in message: None for None."""
        if message is None:
            return None
        magic, number = struct.unpack(">bI", message[:5])
        assert magic == 0, "magic byte %d" % magic
        if number not in self._schemas:
            self._schemas[number] = self._registry.schema(number)
        rest = io.BytesIO(message[5:])
        value = fastavro.schemaless_reader(rest, self._schemas[number])
        assert rest.read() == b"", "bytes after the value"
        return value


