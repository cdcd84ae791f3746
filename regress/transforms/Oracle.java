/*
 * Oracle.java
 *		what the real transformations make of the cases in cases.txt.
 *
 * Reads cases on standard input and writes them to standard output with new "out", "drop" and
 * "error" lines.  The class path holds Debezium's connect plugins and Kafka's runtime:
 *
 *		java -cp 'DIR/*' regress/transforms/Oracle.java <cases.txt >new
 *
 * SPDX-License-Identifier: PostgreSQL
 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

public class Oracle
{
    record Stage(Transformation<SourceRecord> transformation, Predicate<SourceRecord> predicate, boolean negate) {}

    static final Map<String, String> schemas = new HashMap<>();
    static final JsonConverter json = new JsonConverter();
    static final SimpleHeaderConverter headers = new SimpleHeaderConverter();

    static Map<String, String> below(Map<String, String> settings, String prefix)
    {
        Map<String, String> found = new HashMap<>();

        settings.forEach((name, value) -> {
            if (name.startsWith(prefix))
                found.put(name.substring(prefix.length()), value);
        });
        return found;
    }

    @SuppressWarnings("unchecked")
    static <T> T make(String name) throws Exception
    {
        return (T) Class.forName(name).getDeclaredConstructor().newInstance();
    }

    static List<Stage> chain(Map<String, String> settings) throws Exception
    {
        List<Stage> stages = new ArrayList<>();

        for (String alias : settings.get("transforms").split(","))
        {
            Map<String, String> config = below(settings, "transforms." + alias + ".");
            String condition = config.remove("predicate");
            boolean negate = Boolean.parseBoolean(config.remove("negate"));
            Transformation<SourceRecord> transformation = make(config.get("type"));
            Predicate<SourceRecord> predicate = null;

            transformation.configure(config);
            if (condition != null)
            {
                Map<String, String> inside = below(settings, "predicates." + condition + ".");

                predicate = make(inside.get("type"));
                predicate.configure(inside);
            }
            stages.add(new Stage(transformation, predicate, negate));
        }
        return stages;
    }

    static SchemaAndValue read(String schema, String payload)
    {
        if (schema.equals("-"))
            return SchemaAndValue.NULL;
        return json.toConnectData("t", ("{\"schema\":" + schemas.get(schema) + ",\"payload\":" + payload + "}")
                .getBytes(StandardCharsets.UTF_8));
    }

    static String text(byte[] bytes)
    {
        return bytes == null ? "-" : new String(bytes, StandardCharsets.UTF_8);
    }

    static SourceRecord record(String[] parts)
    {
        SchemaAndValue key = read(parts[2], parts[3]);
        SchemaAndValue value = read(parts[4], parts[5]);
        ConnectHeaders given = new ConnectHeaders();

        for (int i = 6; i < parts.length; i += 3)
        {
            SchemaAndValue header = read(parts[i + 1], parts[i + 2]);

            given.add(parts[i], header.value(), header.schema());
        }
        return new SourceRecord(null, null, parts[1], null, key.schema(), key.value(), value.schema(), value.value(),
                null, given);
    }

    /* As io.debezium.pipeline.EventDispatcher makes it: both have one Headers. */
    static SourceRecord tombstone(SourceRecord delete)
    {
        return delete.newRecord(delete.topic(), delete.kafkaPartition(), delete.keySchema(), delete.key(), null, null,
                delete.timestamp(), delete.headers());
    }

    static String apply(List<Stage> stages, SourceRecord record)
    {
        try
        {
            for (Stage stage : stages)
            {
                if (stage.predicate == null || stage.negate ^ stage.predicate.test(record))
                    record = stage.transformation.apply(record);
                if (record == null)
                    return "drop";
            }
            StringBuilder out = new StringBuilder("out\t" + record.topic());
            out.append("\t" + (record.kafkaPartition() == null ? "-" : record.kafkaPartition()));
            out.append("\t" + (record.timestamp() == null ? "-" : record.timestamp()));
            out.append("\t" + text(json.fromConnectData(record.topic(), record.keySchema(), record.key())));
            out.append("\t" + text(json.fromConnectData(record.topic(), record.valueSchema(), record.value())));
            for (Header header : record.headers())
                out.append("\t" + header.key() + "\t" + text(headers.fromConnectHeader(record.topic(), header.key(),
                        header.schema(), header.value())));
            return out.toString();
        }
        catch (Exception e)
        {
            System.err.println(e);
            return "error";
        }
    }

    public static void main(String[] arguments) throws Exception
    {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        Map<String, String> settings = new HashMap<>();
        List<Stage> stages = null;
        SourceRecord last = null;

        json.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
        for (String line; (line = in.readLine()) != null;)
        {
            String[] parts = line.split("\t", -1);

            if (parts[0].equals("out") || parts[0].equals("drop") || parts[0].equals("error"))
                continue;
            out.println(line);
            switch (parts[0])
            {
                case "schema":
                    schemas.put(parts[1], parts[2]);
                    break;
                case "case":
                    settings = new HashMap<>();
                    stages = null;
                    break;
                case "set":
                    settings.put(parts[1], parts[2]);
                    break;
                case "in":
                    if (stages == null)
                        stages = chain(settings);
                    last = record(parts);
                    out.println(apply(stages, last));
                    break;
                case "tombstone":
                    out.println(apply(stages, tombstone(last)));
                    break;
                default:
                    break;
            }
        }
        out.flush();
    }
}
