import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;

/**
 * Debezium's PostgreSQL connector in one process for many runs, printing what Kafka Connect's JsonConverter and
 * SimpleHeaderConverter would put on Kafka. Commands on standard input, one answer line each on standard output:
 *
 *   start PROPERTIES PREFIX   runs a connector, "started" once it polls; writes PREFIX.schemas.jsonl and
 *                             PREFIX.plain.jsonl, one record a line: topic, key, value, headers
 *   state                     "running", or "ended" and why
 *   stop                      "stopped", and why it had ended before
 *   quit
 *
 * Properties are the connector's; those that start with "converter." are JsonConverter's.
 */
public class Oracle
{
    private static final JsonFactory JSON = new JsonFactory();

    /** A file of records under one setting of the converter. */
    private static final class Output implements Closeable
    {
        private final JsonConverter keys = new JsonConverter();
        private final JsonConverter values = new JsonConverter();
        private final SimpleHeaderConverter headers = new SimpleHeaderConverter();
        private final OutputStream file;

        Output(String path, Map<String, Object> converter) throws IOException
        {
            keys.configure(converter, true);
            values.configure(converter, false);
            headers.configure(Map.of());
            file = new BufferedOutputStream(new FileOutputStream(path), 1 << 16);
        }

        void write(SourceRecord record) throws IOException
        {
            byte[] key = keys.fromConnectData(record.topic(), record.keySchema(), record.key());
            byte[] value = values.fromConnectData(record.topic(), record.valueSchema(), record.value());
            try (JsonGenerator line = JSON.createGenerator(file).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)) {
                line.writeStartObject();
                line.writeStringField("topic", record.topic());
                line.writeObjectField("partition", record.kafkaPartition());
                text(line, "key", key);
                text(line, "value", value);
                line.writeArrayFieldStart("headers");
                for (Header header : record.headers()) {
                    line.writeStartObject();
                    line.writeStringField("k", header.key());
                    text(line, "v", headers.fromConnectHeader(record.topic(), header.key(), header.schema(), header.value()));
                    line.writeEndObject();
                }
                line.writeEndArray();
                line.writeEndObject();
            }
            file.write('\n');
        }

        private static void text(JsonGenerator line, String name, byte[] bytes) throws IOException
        {
            line.writeFieldName(name);
            if (bytes == null)
                line.writeNull();
            else
                line.writeString(new String(bytes, StandardCharsets.UTF_8));
        }

        void flush() throws IOException
        {
            file.flush();
        }

        @Override
        public void close() throws IOException
        {
            file.close();
        }
    }

    /** One run of the connector. */
    private static final class Run
    {
        private final List<Output> outputs;
        private final DebeziumEngine<RecordChangeEvent<SourceRecord>> engine;
        private final CountDownLatch polling = new CountDownLatch(1);
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile String error = "";

        Run(Properties properties, String prefix) throws IOException
        {
            outputs = List.of(new Output(prefix + ".schemas.jsonl", converter(properties, true)),
                    new Output(prefix + ".plain.jsonl", converter(properties, false)));
            engine = DebeziumEngine.create(ChangeEventFormat.of(Connect.class))
                    .using(properties)
                    .using(new DebeziumEngine.ConnectorCallback() {
                        @Override
                        public void pollingStarted()
                        {
                            polling.countDown();
                        }
                    })
                    .using((success, message, cause) -> {
                        if (!success)
                            error = explain(message, cause);
                        ended.countDown();
                        polling.countDown();
                    })
                    .notifying(this::write)
                    .build();
            Thread thread = new Thread(engine, "engine");
            thread.setDaemon(true);
            thread.start();
        }

        private void write(List<RecordChangeEvent<SourceRecord>> events,
                DebeziumEngine.RecordCommitter<RecordChangeEvent<SourceRecord>> committer) throws InterruptedException
        {
            try {
                for (RecordChangeEvent<SourceRecord> event : events) {
                    for (Output output : outputs)
                        output.write(event.record());
                    committer.markProcessed(event);
                }
                for (Output output : outputs)
                    output.flush();
            }
            catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            committer.markBatchFinished();
        }

        private static String explain(String message, Throwable cause)
        {
            StringBuilder text = new StringBuilder(String.valueOf(message));
            for (; cause != null; cause = cause.getCause()) {
                text.append(" <- ").append(cause);
                if (cause.getCause() == null && cause.getStackTrace().length > 0)
                    text.append(" at ").append(cause.getStackTrace()[0]);
            }
            return text.toString().replace('\n', ' ');
        }

        void stop() throws Exception
        {
            try {
                engine.close();
            }
            catch (IllegalStateException e) {
                // it has ended already
            }
            ended.await(30, TimeUnit.SECONDS);
            for (Output output : outputs)
                output.close();
        }
    }

    private static Properties load(String path) throws IOException
    {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of(path))) {
            properties.load(reader);
        }
        return properties;
    }

    private static Map<String, Object> converter(Properties properties, boolean schemas)
    {
        Map<String, Object> settings = new HashMap<>();
        for (String name : properties.stringPropertyNames())
            if (name.startsWith("converter."))
                settings.put(name.substring("converter.".length()), properties.getProperty(name));
        settings.put("schemas.enable", String.valueOf(schemas));
        return settings;
    }

    private Run run;

    private String answer(String[] words) throws Exception
    {
        switch (words[0]) {
            case "start":
                run = new Run(load(words[1]), words[2]);
                run.polling.await(60, TimeUnit.SECONDS);
                return run.ended.getCount() > 0 ? "started" : "ended " + run.error;
            case "state":
                return run.ended.getCount() > 0 ? "running" : "ended " + run.error;
            case "stop":
                run.stop();
                return "stopped " + run.error;
            default:
                return "unrecognized command";
        }
    }

    public static void main(String[] arguments) throws Exception
    {
        Oracle oracle = new Oracle();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = input.readLine()) != null && !line.equals("quit");) {
            String answer;
            try {
                answer = oracle.answer(line.split(" "));
            }
            catch (Exception e) {
                answer = "failed " + e.toString().replace('\n', ' ');
            }
            System.out.println(answer);
        }
        System.exit(0);
    }
}
