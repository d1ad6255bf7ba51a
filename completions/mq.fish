# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mq_global_optspecs
    string join \n help verbose V/version
end

function __fish_mq_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mq_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mq_using_subcommand
    set -l cmd (__fish_mq_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mq -n "__fish_mq_needs_command" -l help -d 'Print help'
complete -c mq -n "__fish_mq_needs_command" -l verbose -d 'With --version: print the commit, the features and the TLS library as well'
complete -c mq -n "__fish_mq_needs_command" -s V -l version -d 'Print version'
complete -c mq -n "__fish_mq_needs_command" -f -a "pub" -d 'Publish messages'
complete -c mq -n "__fish_mq_needs_command" -f -a "sub" -d 'Subscribe and print messages'
complete -c mq -n "__fish_mq_needs_command" -f -a "rr" -d 'Send a request and print the response'
complete -c mq -n "__fish_mq_needs_command" -f -a "top" -d 'Show the topics of a broker on the terminal'
complete -c mq -n "__fish_mq_needs_command" -f -a "passwd" -d 'Manage users and passwords of brokers'
complete -c mq -n "__fish_mq_needs_command" -f -a "broker" -d 'Run a broker for development and tests'
complete -c mq -n "__fish_mq_needs_command" -f -a "gateway" -d 'Run a gateway between MQTT-SN clients and a broker'
complete -c mq -n "__fish_mq_needs_command" -f -a "bridge" -d 'Forward messages between two brokers'
complete -c mq -n "__fish_mq_needs_command" -f -a "bench" -d 'Measure a broker under the load of many clients'
complete -c mq -n "__fish_mq_needs_command" -f -a "inspect" -d 'Decode captured packets and report problems'
complete -c mq -n "__fish_mq_needs_command" -f -a "doctor" -d 'Report a broker\'s features, limits and permissions'
complete -c mq -n "__fish_mq_needs_command" -f -a "config" -d 'Show and check profiles and variables'
complete -c mq -n "__fish_mq_needs_command" -f -a "install-links" -d 'Create links by which mq replaces mosquitto\'s tools'
complete -c mq -n "__fish_mq_needs_command" -f -a "completions" -d 'Generate completions for a shell'
complete -c mq -n "__fish_mq_needs_command" -f -a "man" -d 'Print a manual page'
complete -c mq -n "__fish_mq_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mq -n "__fish_mq_using_subcommand pub" -s t -l topic -d 'Topic to publish to; with --ndjson or --replay, for messages without a topic' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s m -l message -d 'Publish this payload' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s f -l file -d 'Publish the content of a file' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l random -d 'Publish a random payload of a size such as 64KiB, or a range such as 64..1KiB; new for each repetition' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l input -d 'Encoding of the input of -m, -f, -s and the lines of -l: raw, hex, base64, or json to encode JSON as the topic\'s message type in protocol buffers [default: json with --type, otherwise raw]' -r -f -a "raw\t''
hex\t''
base64\t''
json\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -l delay -d 'Delay publication, such as by 90s, 15m or 1h30m. EMQX only: uses the topic $delayed/SECONDS/TOPIC' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l at -d 'Publish at this time, as in 2026-12-01T09:00Z. EMQX only, as for --delay' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l replay -d 'Replay a recording of `mq sub --record`, with its pauses; chooses MQTT 5. Can be repeated, to replay several in sequence' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l speed -d 'Replay at this multiple of the recorded speed, as in 2 or 0.5; max is as fast as possible' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l rate -d 'Replay this many messages a second, as in 500, 5k or 30/min, regardless of the pauses' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l rewrite -d 'Replace a prefix of topics, as in home=test/home; =test adds a prefix to all topics. Can be repeated; the first match applies' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l schema -d 'Schema of payloads in protocol buffers: a .proto file, whose imports are found beside it, or a descriptor set of `protoc --include_imports -o FILE`. Can be repeated' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l type -d 'Message type of payloads, such as `gw.Uplink`, or of the topics of a filter, as in \'gw/+/up=gw.Uplink\'. Can be repeated; the most exact filter counts. The table `[payloads]` in the configuration file sets both options' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s q -l qos -d 'QoS level: 0 at most once, 1 at least once, 2 exactly once; to an MQTT-SN gateway also -1, without a connection' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -l repeat -d 'Publish the message this many times' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l repeat-delay -d 'Pause between repetitions, starting at the acknowledgement, such as 500ms' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l timeout -d 'Give up after this time, including the time to connect, such as 5s or 2m' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s h -l host -d 'Broker\'s host name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand pub" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s A -l bind -d 'Local address to connect from' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand pub" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r -f -a "v1\t''
v2\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r -f -a "tlsv1.2\t''
tlsv1.3\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l psk-identity -d 'Identity of --psk at the broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-engine -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-engine-kpass-sha1 -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r -f -a "aws\t''
azure-iothub\t''
azure-eventgrid\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l will-payload -d 'Payload of the will' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l will-qos -d 'QoS of the will' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r -f -a "connect\t''
publish\t''
subscribe\t''
unsubscribe\t''
disconnect\t''
will\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -l sn-version -d 'MQTT-SN version: 1.2 or 2.0. 2.0 is experimental, as its specification is a draft' -r -f -a "1.2\t''
2.0\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -l topic-id -d 'Predefined topic id, in place of a topic; 1 to 65534. sub can repeat it' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -l retries -d 'Retries after a failed or lost connection [default: after a lost connection sub unlimited, pub -l 15, otherwise 0]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s M -l max-inflight -d 'Maximum number of unacknowledged QoS 1 and 2 messages' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311, or 5 with --ndjson and --replay]' -r -f -a "31\t''
311\t''
5\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence [default: ~/.config/mosquitto_pub, if it exists]' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r -f
complete -c mq -n "__fish_mq_using_subcommand pub" -s s -l stdin-file -d 'Publish all of standard input as one message'
complete -c mq -n "__fish_mq_using_subcommand pub" -s n -l null-message -d 'Publish an empty message'
complete -c mq -n "__fish_mq_using_subcommand pub" -l template -d 'Replace placeholders in the topic and the payload of each message. {i} is its number from 0, {ts} the time ({ts:ms} in milliseconds since 1970, also s, us, ns), {uuid} a UUID, {rand:0..100} a random integer below 100, {rand:18.0..25.5} a random number with one decimal'
complete -c mq -n "__fish_mq_using_subcommand pub" -s l -l stdin-line -d 'Publish each line of standard input as a message'
complete -c mq -n "__fish_mq_using_subcommand pub" -l ndjson -d 'Publish each line of standard input: a JSON object as printed by `mq sub --json`. Chooses MQTT 5'
complete -c mq -n "__fish_mq_using_subcommand pub" -s r -l retain -d 'Retain the message at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand pub" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand pub" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand pub" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand pub" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand pub" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand pub" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand pub" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand pub" -s c -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand pub" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand pub" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT/TOPIC; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand pub" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand pub" -s d -l debug -d 'Log every packet on standard error'
complete -c mq -n "__fish_mq_using_subcommand pub" -l quiet -d 'Suppress messages about failures at run time; the exit status still reports them'
complete -c mq -n "__fish_mq_using_subcommand pub" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand sub" -s t -l topic -d 'Topic filter to subscribe to; + matches one level, # all remaining levels. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l topic-qos -d 'Topic filter with its own QoS, as in 2:alarms/#. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l share -d 'Share messages among the subscribers of this group. Adds $share/GROUP/ to each filter' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s q -l qos -d 'Maximum QoS to receive at' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -s T -l filter-out -d 'Ignore messages whose topic matches this filter. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s U -l unsubscribe -d 'Topic filter to unsubscribe from, in a kept session. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l random-filter -d 'Print only this percentage of messages, chosen at random: 0.1 to 100' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l retain-handling -d 'When to receive retained messages on subscribing: always, new or never (MQTT 5)' -r -f -a "always\t''
new\t''
never\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -s F -l format -d 'Print each message in this format, such as \'%t %p\'. %t topic, %p payload, %x payload in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %I time, %U Unix time, %j JSON, %J JSON with the payload as JSON; %C %R %D %E %F %S %A %P MQTT 5 properties; @H strftime\'s %H' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l output -d 'Encoding of printed payloads: raw (without line ends), hex or base64 (one per line)' -r -f -a "raw\t''
hex\t''
base64\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l decode -d 'Decode payloads to JSON: auto (by content type, topic and shape) or a format. Formats are json, cbor, cbor-seq, msgpack, sparkplug (only below spBv1.0/, with any prefix), protobuf (by --schema, or as fields by number), wire (protobuf without the schema), gzip, zlib, deflate, zstd, lz4 and snappy. With --json, the value is added' -r -f -a "auto\t''
json\t''
cbor\t''
msgpack\t''
cbor-seq\t''
sparkplug\t''
protobuf\t''
wire\t''
gzip\t''
zlib\t''
deflate\t''
zstd\t''
lz4\t''
snappy\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l select -d 'Print only this field of each payload, as in `a.b[0]` or `/a/b/0`. Payloads are decoded by --decode, or by their shape; strings have no quotes, a missing field is null. Can be repeated; fields are separated by tabs' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l schema -d 'Schema of payloads in protocol buffers: a .proto file, whose imports are found beside it, or a descriptor set of `protoc --include_imports -o FILE`. Can be repeated' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l type -d 'Message type of payloads, such as `gw.Uplink`, or of the topics of a filter, as in \'gw/+/up=gw.Uplink\'. Can be repeated; the most exact filter counts. The table `[payloads]` in the configuration file sets both options' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l record -d 'Record messages to this file, for `mq pub --replay`, instead of printing them. Appends JSON objects, one per line, or to a database if the name ends in .sqlite' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l rotate -d 'Start a new file at this size, such as 100MiB, or age, such as 1h or 1d. The time is appended to the name of the full file' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l exec -d 'Run this shell command for each message instead of printing it. The payload is on its standard input, the rest in MQTT_TOPIC, MQTT_QOS, MQTT_RETAIN, MQTT_TIME, MQTT_CONTENT_TYPE, MQTT_RESPONSE_TOPIC, MQTT_CORRELATION_DATA (in hex), MQTT_USER_PROPERTIES (in JSON)' -r -f -a "(__fish_complete_command)"
complete -c mq -n "__fish_mq_using_subcommand sub" -l exec-jobs -d 'Maximum number of concurrent --exec commands. Nothing is read from the broker while messages wait' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s C -l count -d 'Exit after this many messages' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s W -l timeout -d 'Exit after this time, including the time to connect, such as 5s or 2m' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l idle-timeout -d 'Exit after this time without a message, such as 500ms' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s h -l host -d 'Broker\'s host name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand sub" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s A -l bind -d 'Local address to connect from' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand sub" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r -f -a "31\t''
311\t''
5\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r -f -a "v1\t''
v2\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r -f -a "tlsv1.2\t''
tlsv1.3\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l psk-identity -d 'Identity of --psk at the broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-engine -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-engine-kpass-sha1 -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r -f -a "aws\t''
azure-iothub\t''
azure-eventgrid\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l will-payload -d 'Payload of the will' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l will-qos -d 'QoS of the will' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r -f -a "connect\t''
publish\t''
subscribe\t''
unsubscribe\t''
disconnect\t''
will\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l sn-version -d 'MQTT-SN version: 1.2 or 2.0. 2.0 is experimental, as its specification is a draft' -r -f -a "1.2\t''
2.0\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l topic-id -d 'Predefined topic id, in place of a topic; 1 to 65534. sub can repeat it' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l sleep -d 'Sleep for this time once subscribed, wake up for the messages that the gateway has kept, and so on' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -l retries -d 'Retries after a failed or lost connection [default: after a lost connection sub unlimited, pub -l 15, otherwise 0]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s M -l max-inflight -d 'Maximum number of unacknowledged QoS 1 and 2 messages' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence [default: ~/.config/mosquitto_sub, if it exists]' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r -f
complete -c mq -n "__fish_mq_using_subcommand sub" -s R -l no-retained -d 'Ignore retained messages'
complete -c mq -n "__fish_mq_using_subcommand sub" -l retained-only -d 'Print only retained messages, then exit. Exits at the first other message, or after a second without a message'
complete -c mq -n "__fish_mq_using_subcommand sub" -l no-local -d 'Ignore messages that this client publishes itself (MQTT 5)'
complete -c mq -n "__fish_mq_using_subcommand sub" -l remove-retained -d 'Delete every retained message that arrives, except for topics that match -T'
complete -c mq -n "__fish_mq_using_subcommand sub" -l dry-run -d 'With --remove-retained: only print the messages that would be deleted'
complete -c mq -n "__fish_mq_using_subcommand sub" -l message-rate -d 'Print the number of messages in each second, instead of the messages'
complete -c mq -n "__fish_mq_using_subcommand sub" -l retain-as-published -d 'Keep the RETAIN flag as published (MQTT 5)'
complete -c mq -n "__fish_mq_using_subcommand sub" -s v -l verbose -d 'Print the topic before the payload'
complete -c mq -n "__fish_mq_using_subcommand sub" -s N -l no-newline -d 'Omit the line end after a message'
complete -c mq -n "__fish_mq_using_subcommand sub" -l json -d 'Print one JSON object per message and line; `mq pub --ndjson` reads this format'
complete -c mq -n "__fish_mq_using_subcommand sub" -l pretty -d 'Print JSON over several lines, with indentation'
complete -c mq -n "__fish_mq_using_subcommand sub" -s w -l watch -d 'Show the latest message of each topic on the screen. On a terminal, `mq sub -w` is the list of `mq top`'
complete -c mq -n "__fish_mq_using_subcommand sub" -s E -l exit-after-subscribe -d 'Exit once subscribed, to set up a kept session'
complete -c mq -n "__fish_mq_using_subcommand sub" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand sub" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand sub" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand sub" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand sub" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand sub" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand sub" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand sub" -s c -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand sub" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand sub" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT/TOPIC; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand sub" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand sub" -s d -l debug -d 'Log every packet on standard error'
complete -c mq -n "__fish_mq_using_subcommand sub" -l quiet -d 'Suppress messages about failures at run time; the exit status still reports them'
complete -c mq -n "__fish_mq_using_subcommand sub" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand rr" -s t -l topic -d 'Topic of the request' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s e -l response-topic -d 'Topic of the response [default: a random one]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s m -l message -d 'Publish this payload' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s f -l file -d 'Publish the content of a file' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l random -d 'Publish a random payload of a size such as 64KiB, or a range such as 64..1KiB; new for each repetition' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l input -d 'Encoding of the input of -m, -f, -s and the lines of -l: raw, hex, base64, or json to encode JSON as the topic\'s message type in protocol buffers [default: json with --type, otherwise raw]' -r -f -a "raw\t''
hex\t''
base64\t''
json\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -s q -l qos -d 'QoS of the request and the response: 0, 1 or 2' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l retain-handling -d 'When to receive retained messages on subscribing: always, new or never (MQTT 5)' -r -f -a "always\t''
new\t''
never\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -s F -l format -d 'Print each message in this format, such as \'%t %p\'. %t topic, %p payload, %x payload in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %I time, %U Unix time, %j JSON, %J JSON with the payload as JSON; %C %R %D %E %F %S %A %P MQTT 5 properties; @H strftime\'s %H' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l output -d 'Encoding of printed payloads: raw (without line ends), hex or base64 (one per line)' -r -f -a "raw\t''
hex\t''
base64\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l decode -d 'Decode payloads to JSON: auto (by content type, topic and shape) or a format. Formats are json, cbor, cbor-seq, msgpack, sparkplug (only below spBv1.0/, with any prefix), protobuf (by --schema, or as fields by number), wire (protobuf without the schema), gzip, zlib, deflate, zstd, lz4 and snappy. With --json, the value is added' -r -f -a "auto\t''
json\t''
cbor\t''
msgpack\t''
cbor-seq\t''
sparkplug\t''
protobuf\t''
wire\t''
gzip\t''
zlib\t''
deflate\t''
zstd\t''
lz4\t''
snappy\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l select -d 'Print only this field of each payload, as in `a.b[0]` or `/a/b/0`. Payloads are decoded by --decode, or by their shape; strings have no quotes, a missing field is null. Can be repeated; fields are separated by tabs' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l schema -d 'Schema of payloads in protocol buffers: a .proto file, whose imports are found beside it, or a descriptor set of `protoc --include_imports -o FILE`. Can be repeated' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l type -d 'Message type of payloads, such as `gw.Uplink`, or of the topics of a filter, as in \'gw/+/up=gw.Uplink\'. Can be repeated; the most exact filter counts. The table `[payloads]` in the configuration file sets both options' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l count -d 'Exit after this many responses' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s W -l timeout -d 'Exit after this time, including the time to connect, such as 5s or 2m' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s h -l host -d 'Broker\'s host name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand rr" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s A -l bind -d 'Local address to connect from' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand rr" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r -f -a "v1\t''
v2\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r -f -a "tlsv1.2\t''
tlsv1.3\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l psk-identity -d 'Identity of --psk at the broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-engine -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-engine-kpass-sha1 -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r -f -a "aws\t''
azure-iothub\t''
azure-eventgrid\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l will-payload -d 'Payload of the will' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l will-qos -d 'QoS of the will' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r -f -a "connect\t''
publish\t''
subscribe\t''
unsubscribe\t''
disconnect\t''
will\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l sn-version -d 'MQTT-SN version: 1.2 or 2.0. 2.0 is experimental, as its specification is a draft' -r -f -a "1.2\t''
2.0\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l topic-id -d 'Predefined topic id, in place of a topic; 1 to 65534. sub can repeat it' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -l retries -d 'Retries after a failed or lost connection [default: after a lost connection sub unlimited, pub -l 15, otherwise 0]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s M -l max-inflight -d 'Maximum number of unacknowledged QoS 1 and 2 messages' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 5]' -r -f -a "31\t''
311\t''
5\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence [default: ~/.config/mosquitto_rr, if it exists]' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r -f
complete -c mq -n "__fish_mq_using_subcommand rr" -s s -l stdin-file -d 'Publish all of standard input as one message'
complete -c mq -n "__fish_mq_using_subcommand rr" -s n -l null-message -d 'Publish an empty message'
complete -c mq -n "__fish_mq_using_subcommand rr" -l template -d 'Replace placeholders in the topic and the payload of each message. {i} is its number from 0, {ts} the time ({ts:ms} in milliseconds since 1970, also s, us, ns), {uuid} a UUID, {rand:0..100} a random integer below 100, {rand:18.0..25.5} a random number with one decimal'
complete -c mq -n "__fish_mq_using_subcommand rr" -s R -l no-retained -d 'Ignore retained responses'
complete -c mq -n "__fish_mq_using_subcommand rr" -l retain-as-published -d 'Keep the RETAIN flag as published (MQTT 5)'
complete -c mq -n "__fish_mq_using_subcommand rr" -s v -l verbose -d 'Print the topic before the payload'
complete -c mq -n "__fish_mq_using_subcommand rr" -s N -l no-newline -d 'Omit the line end after a message'
complete -c mq -n "__fish_mq_using_subcommand rr" -l json -d 'Print one JSON object per message and line; `mq pub --ndjson` reads this format'
complete -c mq -n "__fish_mq_using_subcommand rr" -l pretty -d 'Print JSON over several lines, with indentation'
complete -c mq -n "__fish_mq_using_subcommand rr" -s w -l watch -d 'Show the latest message of each topic on the screen. On a terminal, `mq sub -w` is the list of `mq top`'
complete -c mq -n "__fish_mq_using_subcommand rr" -l latency -d 'Print the latency of each response'
complete -c mq -n "__fish_mq_using_subcommand rr" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand rr" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand rr" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand rr" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand rr" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand rr" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand rr" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand rr" -s c -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand rr" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand rr" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT/TOPIC; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand rr" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand rr" -s d -l debug -d 'Log every packet on standard error'
complete -c mq -n "__fish_mq_using_subcommand rr" -l quiet -d 'Suppress messages about failures at run time; the exit status still reports them'
complete -c mq -n "__fish_mq_using_subcommand rr" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand top" -s t -l topic -d 'The same as TOPIC. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s q -l qos -d 'Maximum QoS to receive at' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -l sort -d 'Sort by name, count, rate, age or size' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l max-topics -d 'Maximum number of topics to keep. Messages to further topics are counted, but not shown' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l max-bytes -d 'Maximum memory for topics and payloads, such as 100MiB. Further payloads are not kept' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l also -d 'Show another broker in a tab of its own: that of a profile, or by its URL as in -L. The other options of the connection apply to a URL as well, not to a profile. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l record -d 'Record messages to this file, for `mq pub --replay`. Appends JSON objects, one per line, or to a database if the name ends in .sqlite' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l replay -d 'Show a recording of `mq sub --record` or `mq top --record` instead of a broker' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l decode -d 'Decode payloads as this format, instead of by content type, topic and shape; see `mq sub --help`' -r -f -a "auto\t''
json\t''
cbor\t''
msgpack\t''
cbor-seq\t''
sparkplug\t''
protobuf\t''
wire\t''
gzip\t''
zlib\t''
deflate\t''
zstd\t''
lz4\t''
snappy\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -l schema -d 'Schema of payloads in protocol buffers: a .proto file, whose imports are found beside it, or a descriptor set of `protoc --include_imports -o FILE`. Can be repeated' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l type -d 'Message type of payloads, such as `gw.Uplink`, or of the topics of a filter, as in \'gw/+/up=gw.Uplink\'. Can be repeated; the most exact filter counts. The table `[payloads]` in the configuration file sets both options' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s h -l host -d 'Broker\'s host name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand top" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s A -l bind -d 'Local address to connect from' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand top" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r -f -a "v1\t''
v2\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r -f -a "tlsv1.2\t''
tlsv1.3\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l psk-identity -d 'Identity of --psk at the broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l tls-engine -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l tls-engine-kpass-sha1 -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r -f -a "aws\t''
azure-iothub\t''
azure-eventgrid\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand top" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l will-payload -d 'Payload of the will' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l will-qos -d 'QoS of the will' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r -f -a "connect\t''
publish\t''
subscribe\t''
unsubscribe\t''
disconnect\t''
will\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -l sn-version -d 'MQTT-SN version: 1.2 or 2.0. 2.0 is experimental, as its specification is a draft' -r -f -a "1.2\t''
2.0\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -l topic-id -d 'Predefined topic id, in place of a topic; 1 to 65534. sub can repeat it' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l retries -d 'Retries after a failed or lost connection [default: after a lost connection sub unlimited, pub -l 15, otherwise 0]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s M -l max-inflight -d 'Maximum number of unacknowledged QoS 1 and 2 messages' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 5]' -r -f -a "31\t''
311\t''
5\t''"
complete -c mq -n "__fish_mq_using_subcommand top" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r -f
complete -c mq -n "__fish_mq_using_subcommand top" -l list -d 'Show a list of topics instead of a tree'
complete -c mq -n "__fish_mq_using_subcommand top" -l read-only -d 'Turn off the keys that publish, delete retained messages, subscribe and unsubscribe'
complete -c mq -n "__fish_mq_using_subcommand top" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand top" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand top" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand top" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand top" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand top" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand top" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand top" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand top" -s c -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand top" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand top" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT/TOPIC; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand top" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand top" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l password-file -d 'Read the password from the first line of a file; `-` is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -s H -l hash -d 'Hash algorithm [default: sha512-pbkdf2]' -r -f -a "argon2id\t'For mosquitto 2.1 built with Argon2: guesses also cost memory'
sha512-pbkdf2\t'For mosquitto 2.0 and later'
sha512\t'For mosquitto 1, and other brokers: guesses are very cheap'
sha256-pbkdf2\t'For EMQX'
sha256\t'For EMQX and RabbitMQ: guesses are very cheap'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l target -d 'Broker version that loads the file; selects the hash, and checks the existing lines' -r -f -a "mosquitto-1\t'mosquitto 1.x'
mosquitto-2.0\t'mosquitto 2.0'
mosquitto-2.1\t'mosquitto 2.1 built without Argon2, the default'
mosquitto-2.1-argon2\t'mosquitto 2.1 built with Argon2'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -s I -l iterations -d 'Iterations of sha512-pbkdf2; more make guesses and logins slower [default: 20000]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l memory -d 'Memory of argon2id [default: 47104]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l passes -d 'Passes of argon2id over its memory [default: 1]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l lanes -d 'Lanes of argon2id (parallelism) [default: 1]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l format -d 'Format of the credentials file [default: mosquitto]' -r -f -a "mosquitto\t'mosquitto\'s password file'
mosquitto-dynsec\t'mosquitto\'s dynamic security plugin (JSON)'
emqx-json\t'EMQX\'s built-in database, for import (JSON)'
emqx-csv\t'EMQX\'s built-in database, for import (CSV without quotes)'
rabbitmq\t'RabbitMQ\'s definitions (JSON)'
vernemq\t'VerneMQ\'s password file'
hivemq\t'HiveMQ\'s file RBAC extension (XML)'
nanomq\t'NanoMQ\'s password file, in plain text'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l salt-position -d 'Position of EMQX\'s salt when it hashes with sha256 or sha512 [default: prefix]' -r -f -a "prefix\t'Before the password'
suffix\t'After the password'
disable\t'No salt'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l role -d 'Role of a new user, for mosquitto-dynsec and hivemq [default: all-topics, if the file has it]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l vhost -d 'Virtual host in which a new user gets all permissions, for rabbitmq [default: /]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -s c -l create -d 'Create the file; `-` prints the line instead'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l force -d 'Replace an existing file, with -c'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -s D -l delete -d 'Delete the user'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -s U -l hash-plain -d 'Hash the plain-text passwords in the file; hashed ones stay unchanged'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -s b -l batch -d 'Take the password from the command line (visible in the process list); if it begins with a dash, put `--` before FILE'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l superuser -d 'Make a new user a superuser, for emqx-json and emqx-csv'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -a "verify" -d 'Check a password against the file'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -a "list" -d 'List the users and the hash schemes of their passwords'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -a "check" -d 'Report the lines that a broker would not load'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -a "import" -d 'Add and update the users of a list (CSV)'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -a "psk" -d 'Generate a key for TLS with pre-shared keys'
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -a "scram" -d 'Generate a user\'s keys for SCRAM, which proves a password without sending it'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from verify" -l password-file -d 'Read the password from the first line of a file; `-` is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from verify" -l format -d 'Format of the credentials file [default: mosquitto]' -r -f -a "mosquitto\t'mosquitto\'s password file'
mosquitto-dynsec\t'mosquitto\'s dynamic security plugin (JSON)'
emqx-json\t'EMQX\'s built-in database, for import (JSON)'
emqx-csv\t'EMQX\'s built-in database, for import (CSV without quotes)'
rabbitmq\t'RabbitMQ\'s definitions (JSON)'
vernemq\t'VerneMQ\'s password file'
hivemq\t'HiveMQ\'s file RBAC extension (XML)'
nanomq\t'NanoMQ\'s password file, in plain text'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from verify" -l salt-position -d 'Position of EMQX\'s salt when it hashes with sha256 or sha512 [default: prefix]' -r -f -a "prefix\t'Before the password'
suffix\t'After the password'
disable\t'No salt'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from verify" -s H -l hash -d 'Hash algorithm of EMQX [default: sha256]' -r -f -a "argon2id\t'For mosquitto 2.1 built with Argon2: guesses also cost memory'
sha512-pbkdf2\t'For mosquitto 2.0 and later'
sha512\t'For mosquitto 1, and other brokers: guesses are very cheap'
sha256-pbkdf2\t'For EMQX'
sha256\t'For EMQX and RabbitMQ: guesses are very cheap'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from verify" -s I -l iterations -d 'Iterations of EMQX\'s sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from verify" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from list" -l format -d 'Format of the credentials file [default: mosquitto]' -r -f -a "mosquitto\t'mosquitto\'s password file'
mosquitto-dynsec\t'mosquitto\'s dynamic security plugin (JSON)'
emqx-json\t'EMQX\'s built-in database, for import (JSON)'
emqx-csv\t'EMQX\'s built-in database, for import (CSV without quotes)'
rabbitmq\t'RabbitMQ\'s definitions (JSON)'
vernemq\t'VerneMQ\'s password file'
hivemq\t'HiveMQ\'s file RBAC extension (XML)'
nanomq\t'NanoMQ\'s password file, in plain text'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from list" -l salt-position -d 'Position of EMQX\'s salt when it hashes with sha256 or sha512 [default: prefix]' -r -f -a "prefix\t'Before the password'
suffix\t'After the password'
disable\t'No salt'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from list" -s H -l hash -d 'Hash algorithm of EMQX [default: sha256]' -r -f -a "argon2id\t'For mosquitto 2.1 built with Argon2: guesses also cost memory'
sha512-pbkdf2\t'For mosquitto 2.0 and later'
sha512\t'For mosquitto 1, and other brokers: guesses are very cheap'
sha256-pbkdf2\t'For EMQX'
sha256\t'For EMQX and RabbitMQ: guesses are very cheap'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from list" -s I -l iterations -d 'Iterations of EMQX\'s sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from list" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from check" -l target -d 'Broker version that the lines are checked for' -r -f -a "mosquitto-1\t'mosquitto 1.x'
mosquitto-2.0\t'mosquitto 2.0'
mosquitto-2.1\t'mosquitto 2.1 built without Argon2, the default'
mosquitto-2.1-argon2\t'mosquitto 2.1 built with Argon2'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from check" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -s H -l hash -d 'Hash algorithm [default: sha512-pbkdf2]' -r -f -a "argon2id\t'For mosquitto 2.1 built with Argon2: guesses also cost memory'
sha512-pbkdf2\t'For mosquitto 2.0 and later'
sha512\t'For mosquitto 1, and other brokers: guesses are very cheap'
sha256-pbkdf2\t'For EMQX'
sha256\t'For EMQX and RabbitMQ: guesses are very cheap'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l target -d 'Broker version that loads the file; selects the hash, and checks the existing lines' -r -f -a "mosquitto-1\t'mosquitto 1.x'
mosquitto-2.0\t'mosquitto 2.0'
mosquitto-2.1\t'mosquitto 2.1 built without Argon2, the default'
mosquitto-2.1-argon2\t'mosquitto 2.1 built with Argon2'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -s I -l iterations -d 'Iterations of sha512-pbkdf2; more make guesses and logins slower [default: 20000]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l memory -d 'Memory of argon2id [default: 47104]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l passes -d 'Passes of argon2id over its memory [default: 1]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l lanes -d 'Lanes of argon2id (parallelism) [default: 1]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l format -d 'Format of the credentials file [default: mosquitto]' -r -f -a "mosquitto\t'mosquitto\'s password file'
mosquitto-dynsec\t'mosquitto\'s dynamic security plugin (JSON)'
emqx-json\t'EMQX\'s built-in database, for import (JSON)'
emqx-csv\t'EMQX\'s built-in database, for import (CSV without quotes)'
rabbitmq\t'RabbitMQ\'s definitions (JSON)'
vernemq\t'VerneMQ\'s password file'
hivemq\t'HiveMQ\'s file RBAC extension (XML)'
nanomq\t'NanoMQ\'s password file, in plain text'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l salt-position -d 'Position of EMQX\'s salt when it hashes with sha256 or sha512 [default: prefix]' -r -f -a "prefix\t'Before the password'
suffix\t'After the password'
disable\t'No salt'"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l role -d 'Role of a new user, for mosquitto-dynsec and hivemq [default: all-topics, if the file has it]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l vhost -d 'Virtual host in which a new user gets all permissions, for rabbitmq [default: /]' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -s c -l create -d 'Create the file'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l force -d 'Replace an existing file, with -c'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l no-header -d 'Treat the first row as a user, never as a header'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l keep-going -d 'Skip bad rows, and import the others'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l superuser -d 'Make a new user a superuser, for emqx-json and emqx-csv'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -l bytes -d 'Key length in bytes, 16 to 256' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -s c -l create -d 'Create the file'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -l force -d 'Replace an existing file, with -c'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -s D -l delete -d 'Delete the identity'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -l print -d 'Print the key'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -l mechanism -d 'SCRAM mechanism of the user\'s keys' -r -f -a "SCRAM-SHA-256\t''
SCRAM-SHA-512\t''"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -s I -l iterations -d 'PBKDF2 iterations, 4096 to 10000000; more make the client\'s login and guesses slower' -r -f
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -l password-file -d 'Read the password from the first line of a file; `-` is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -s c -l create -d 'Create the file; `-` prints the line instead'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -l force -d 'Replace an existing file, with -c'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -s D -l delete -d 'Delete the user'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand broker" -s p -l port -d 'Port to listen on; 0 picks a free one [default: 1883, or none with --unix or --cert]' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l ws-port -d 'Port to listen on for MQTT over WebSocket, at any path; 0 picks a free one' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l sn-port -d 'UDP port for MQTT-SN clients: runs a gateway to this broker, as `mq gateway` does; 0 picks a free port' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l sn-max-clients -d 'Maximum number of MQTT-SN clients' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l sn-version -d 'MQTT-SN version of all its clients: 1.2 or 2.0 [default: the version in CONNECT; 2.0 is experimental]' -r -f -a "1.2\t''
2.0\t''"
complete -c mq -n "__fish_mq_using_subcommand broker" -l unix -d 'Unix socket to listen on, for clients that may write to it. Replaces the socket of a broker that was killed' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l password-file -d 'Allow only the users in this mosquitto password file; SIGHUP reloads it' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l scram-file -d 'Allow users in this file of `mq passwd scram` by SCRAM-SHA-256 and SCRAM-SHA-512. Clients that name no method are checked against --password-file. SIGHUP reloads the file' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l acl -d 'Apply the access rules in this file, in the syntax of mosquitto\'s acl_file; SIGHUP reloads it' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l bind -d 'Address to listen on' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l client-memory -d 'Limit for the memory of one client, such as 16MiB. It includes subscriptions, the will, buffers and undelivered messages' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l memory -d 'Limit for the memory of all clients and of retained messages, such as 512MiB or 2GiB' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l limit -d 'Change another limit, as in sessions=10; repeatable. See the list below' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l front-processes -d 'Accept clients in this number of further processes, each with its own limit of open files. They serve one port: of --ws-port, or else -p, --wss-port, --tls-port' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l cert -d 'Certificate of the broker, followed in the file by its issuers. Needs --key. SIGHUP reloads all files of TLS' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l cafile -d 'Accept only TLS clients with a certificate of the authorities in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l tls-port -d 'Port to listen on for TLS; 0 picks a free one [default: 8883 with --cert, or none with --wss-port]' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l wss-port -d 'Port to listen on for MQTT over WebSocket over TLS, at any path; 0 picks a free one' -r -f
complete -c mq -n "__fish_mq_using_subcommand broker" -l allow-anonymous -d 'Allow clients without a user name as well; needs --password-file or --scram-file'
complete -c mq -n "__fish_mq_using_subcommand broker" -l allow-empty-passwords -d 'Accept an empty password if the user\'s stored hash is that of an empty password'
complete -c mq -n "__fish_mq_using_subcommand broker" -l front -d 'Run as such a process: standard input is the socket to the broker, standard output the listening socket'
complete -c mq -n "__fish_mq_using_subcommand broker" -l stop-with-stdin -d 'Stop at the end of standard input, such as when the parent process exits'
complete -c mq -n "__fish_mq_using_subcommand broker" -s v -l verbose -d 'Log on standard error when clients connect and disconnect'
complete -c mq -n "__fish_mq_using_subcommand broker" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l listen -d 'UDP port to listen on. ADDR defaults to 127.0.0.1; port 0 picks a free one' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l to -d 'Broker: HOST:PORT, or a URL of mqtt, mqtts, ws, wss or unix [default: localhost:1883]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l predefined -d 'File of predefined topic ids' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l gateway-id -d 'Number of this gateway in ADVERTISE and GWINFO' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l sn-version -d 'MQTT-SN version of all clients: 1.2 or 2.0 [default: the version in CONNECT; 2.0 is experimental]' -r -f -a "1.2\t''
2.0\t''"
complete -c mq -n "__fish_mq_using_subcommand gateway" -l advertise -d 'Send ADVERTISE to this multicast group or address, and answer SEARCHGW that is sent to the group at the port of --listen' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l advertise-interval -d 'Interval of ADVERTISE' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l retry-interval -d 'Time after which a message that a client did not answer is repeated (T_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l retry-count -d 'Repetitions before a client counts as lost (N_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l max-clients -d 'Maximum of clients, connected or remembered' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l max-topics -d 'Maximum of topic ids of a client' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l max-queued -d 'Maximum of messages kept for a client that sleeps or is slow. Further ones of QoS 0 are dropped; those of QoS 1 and 2 remain at the broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l max-queued-bytes -d 'Maximum of bytes in these messages' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l max-datagram -d 'Maximum size of a datagram to a client' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -s h -l host -d 'Broker\'s host name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand gateway" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -s A -l bind -d 'Local address to connect from' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand gateway" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r -f -a "31\t''
311\t''
5\t''"
complete -c mq -n "__fish_mq_using_subcommand gateway" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r -f -a "v1\t''
v2\t''"
complete -c mq -n "__fish_mq_using_subcommand gateway" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand gateway" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r -f -a "tlsv1.2\t''
tlsv1.3\t''"
complete -c mq -n "__fish_mq_using_subcommand gateway" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l psk-identity -d 'Identity of --psk at the broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l tls-engine -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l tls-engine-kpass-sha1 -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r -f -a "aws\t''
azure-iothub\t''
azure-eventgrid\t''"
complete -c mq -n "__fish_mq_using_subcommand gateway" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand gateway" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r -f -a "connect\t''
publish\t''
subscribe\t''
unsubscribe\t''
disconnect\t''
will\t''"
complete -c mq -n "__fish_mq_using_subcommand gateway" -s i -l id -d 'Client identifier of the connection of --aggregate [default: a random one]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l will-payload -d 'Payload of the will' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l will-qos -d 'QoS of the will' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand gateway" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r -f
complete -c mq -n "__fish_mq_using_subcommand gateway" -l aggregate -d 'Use one connection to the broker for all clients, for brokers with few connections. Needs MQTT 5, which it selects'
complete -c mq -n "__fish_mq_using_subcommand gateway" -s v -l verbose -d 'Log on standard error when clients connect, sleep and disconnect'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand gateway" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand gateway" -s c -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand gateway" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bridge" -l from -d 'Local broker: a profile, HOST:PORT, or a URL of mqtt, mqtts, ws, wss or unix. With --config [default: the listener in FILE, or 127.0.0.1:1883]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l to -d 'Remote broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l config -d 'Read the bridges from the connection sections of a mosquitto.conf' -r -F
complete -c mq -n "__fish_mq_using_subcommand bridge" -l name -d 'Name of the bridge, and its client identifier at the remote broker; at the local one with `local.` in front [default: made of the host name and both addresses]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l ack-timeout -d 'Timeout for an acknowledgement, after which the connection is made again' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l drain-timeout -d 'Timeout for acknowledgements after a signal' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l queue -d 'Limit for waiting messages of QoS 0, in each direction. If it is reached, the oldest are dropped' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l retain -d 'The RETAIN flag of forwarded messages: keep, clear or set [default: keep]' -r -f -a "keep\t''
clear\t''
set\t''"
complete -c mq -n "__fish_mq_using_subcommand bridge" -l rate -d 'Maximum of messages per second, in each direction' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l max-age -d 'Drop messages that waited longer in the bridge' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l notifications -d 'Brokers with a status topic, 1 if the bridge is connected and else 0, retained: both, local or none [default: both, except hosted services]' -r -f -a "both\t''
local\t''
none\t''"
complete -c mq -n "__fish_mq_using_subcommand bridge" -l notification-topic -d 'Status topic [default: $SYS/broker/connection/CLIENT-ID/state]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l dry-run -d 'Show which rules apply to a topic and how they rename it, without connecting' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l interval -d 'Interval of the line with counts on standard error; 0 for none. On a terminal, a panel shows them' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l metrics -d 'Serve metrics for Prometheus over HTTP at this address, path /metrics' -r -f
complete -c mq -n "__fish_mq_using_subcommand bridge" -l hop-mark -d 'Mark messages with the name of the bridge, in a user property of MQTT 5, and stop those that have passed it'
complete -c mq -n "__fish_mq_using_subcommand bridge" -l check -d 'Connect to the brokers, print their limits and what will not work, then exit'
complete -c mq -n "__fish_mq_using_subcommand bridge" -l json -d 'Print events, counts and results as JSON, one object a line, on standard output'
complete -c mq -n "__fish_mq_using_subcommand bridge" -l quiet -d 'Suppress the log and the counts on standard error'
complete -c mq -n "__fish_mq_using_subcommand bridge" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s c -l clients -d 'Number of publishers; with --topology fan-out, of subscribers [default: 100]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l publishers -d 'Number of publishers [default: -c, or 1 with --topology fan-out]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l subscribers -d 'Number of clients that subscribe; 0 measures acknowledgements only [default: one per publisher up to 100, then one per ten]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l topology -d 'Topology: pairs, fan-in (one subscriber), fan-out (one publisher) or mesh (all to all)' -r -f -a "pairs\t'Each publisher has its own subscriber'
fan-in\t'One subscriber, or a few, for all publishers'
fan-out\t'One publisher, or a few, for all subscribers'
mesh\t'All subscribers receive the messages of all publishers'"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s q -l qos -d 'QoS level of messages and subscriptions: 0, 1 or 2; at an MQTT-SN gateway also -1: messages without a connection' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l duration -d 'Duration of the measurement, such as 30s or 2m [default: 10s, or until --messages are sent]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l warm-up -d 'Send messages for this time before the measurement; their losses count too [default: 2s without --duration and --messages]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s t -l topic -d 'Topic template with {run}, {i}, {s}, {client}, {seq}, {ts}, {uuid} and {rand:0..100} [default: mq-bench/{run}/{s}/{i}]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s s -l size -d 'Payload size, such as 512 or 64KiB, or a range such as 64..1KiB; the header of measured messages takes 24 bytes, with --rate 32' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s f -l payload-file -d 'Read the payload from a file; with subscribers, it follows the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l payload-recording -d 'Send the payloads of messages that `mq sub --json` wrote to a file, in order; with subscribers, they follow the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l payload-template -d 'Payload template with placeholders such as {seq} and {walk:18.0..25.0:0.1}, see below; with subscribers, it follows the header' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l inflight -d 'Maximum number of unacknowledged QoS 1 and 2 messages per publisher [default: 20]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l rate -d 'Messages per second of all publishers together, at planned times: 500, 5k, 1000/s, 30/min' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l arrivals -d 'Distribution of the sends of --rate: constant (equal intervals) or poisson (random)' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l burst -d 'Number of messages that a publisher sends at a time, within --rate' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l ramp -d 'Ramp --rate up from 0 in this time; or replace --rate by two rates, from FROM to TO over --duration, as in 100..5k' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l stages -d 'Rates one after another, instead of --rate and --duration: \'100 for 30s, 100..1k for 1m, 0 for 10s\'' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l on-off -d 'On and off times of each publisher, in turn, such as 10s/50s; the mean of --rate stays' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l topic-id -d 'Predefined topic id of all messages, in place of a topic; 1 to 65534' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l think -d 'Random pause of each publisher before each message, after the answer to the one before: 50ms..2s, or 1s. Sets --inflight to 1' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l subscription-qos -d 'QoS level of the subscriptions, if it differs from --qos' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l share -d 'Use one shared subscription for all subscribers; each message goes to one of them' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l messages -d 'Number of messages of all publishers together; the run ends when they are sent, instead of after a duration' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l keep-connected -d 'Keep all connections after the work is done, until Ctrl-C, or for a time as in --keep-connected=5m' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l seed -d 'Seed of random times, topics, sizes and payloads, from 0 to 4294967295 [default: random]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l connect-rate -d 'Number of clients that start to connect per second [default: as many as the broker accepts]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l timeout -d 'Timeout without progress: connections, acknowledgements or deliveries [default: 10s; with --sn at least the time of all retries]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l repeat -d 'Run the same load N times, and report the median and the spread of each metric for `mq bench compare`' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l repeat-of -d 'Repeat the run of a report of --json with the same options; typed options take precedence, and secrets have to be set again' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l threads -d 'Number of threads for the clients [default: one per CPU]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l processes -d 'Number of processes for the clients, each with its own limit of open files [default: as many as needed]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l shard -d 'Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l start-at -d 'Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l credentials -d 'Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s h -l host -d 'Host name or address of the broker, or of several that share the clients, as in a,b:1884 [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s A -l bind -d 'Local address to connect from' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r -f -a "31\t''
311\t''
5\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r -f -a "v1\t''
v2\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r -f -a "tlsv1.2\t''
tlsv1.3\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l psk-identity -d 'Identity of --psk at the broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-engine -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-engine-kpass-sha1 -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r -f -a "aws\t''
azure-iothub\t''
azure-eventgrid\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l will-payload -d 'Payload of the will' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l will-qos -d 'QoS of the will' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r -f -a "connect\t''
publish\t''
subscribe\t''
unsubscribe\t''
disconnect\t''
will\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l sn-forwarders -d 'Send from N sockets, each a forwarder for several clients, instead of a socket for each client' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l junit -d 'Write the verdict on each condition as JUnit XML, for CI systems' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l abort-if -d 'End the run early, with status 4, when a condition holds; as in \'p99>1s, lost_connections>1%, throughput<100/s\'' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l serve -d 'Serve the HTML page at this address during the run, with live figures; a port alone is one of 127.0.0.1' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l metrics -d 'Serve GET /metrics at this address during the run; a port alone is one of 127.0.0.1' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l progress -d 'Progress on standard error: a panel, a line every 10 seconds, or none [default: panel on a terminal, else lines]' -r -f -a "never\t''
lines\t''
panel\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l watch-broker -d 'Record the broker\'s counters, CPU and memory: from its $SYS topics, or from a Prometheus page at an http URL' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l search -d 'Find the highest sustained rate in runs of --duration (5 seconds), from --rate (1000) on; the report is that of this rate' -r -f -a "rate\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l until -d 'Conditions in which a rate of --search fails, as in \'p99>50ms\'; a rate that the broker does not sustain fails too' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r -f
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s r -l retain -d 'Retain the messages: the broker keeps the last one of each topic'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l embedded -d 'Start an embedded broker for this run, in its own process'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l tls-resume -d 'Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l check -d 'Print the limits of this machine, whether the run fits, and how to raise each limit; without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -s d -l debug -d 'Print the packets of the first client of each kind to standard error, without progress'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l quiet -d 'Suppress messages on standard error, except those about failures'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l worker -d 'Serve the leader on standard input'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -f -a "pubsub" -d 'Clients publish and clients subscribe; every message is checked (the default)'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -f -a "conn" -d 'Clients connect and stay connected'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -f -a "pub" -d 'Clients publish, without subscribers of this run'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -f -a "sub" -d 'Clients subscribe to messages of other publishers'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -f -a "rr" -d 'Clients send requests and clients respond: the round trip'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -f -a "reconnect" -d 'Like pubsub, but all connections are dropped at once halfway, and made again'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -f -a "scenario" -d 'Groups of clients with different loads, from a file'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -f -a "merge" -d 'Merge the reports of several runs into one, without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and not __fish_seen_subcommand_from pubsub conn pub sub rr reconnect scenario merge compare" -f -a "compare" -d 'Compare reports: what became better or worse, by more than noise'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s c -l clients -d 'Number of publishers; with --topology fan-out, of subscribers [default: 100]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l publishers -d 'Number of publishers [default: -c, or 1 with --topology fan-out]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l subscribers -d 'Number of clients that subscribe; 0 measures acknowledgements only [default: one per publisher up to 100, then one per ten]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l topology -d 'Topology: pairs, fan-in (one subscriber), fan-out (one publisher) or mesh (all to all)' -r -f -a "pairs\t'Each publisher has its own subscriber'
fan-in\t'One subscriber, or a few, for all publishers'
fan-out\t'One publisher, or a few, for all subscribers'
mesh\t'All subscribers receive the messages of all publishers'"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s q -l qos -d 'QoS level of messages and subscriptions: 0, 1 or 2; at an MQTT-SN gateway also -1: messages without a connection' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l duration -d 'Duration of the measurement, such as 30s or 2m [default: 10s, or until --messages are sent]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l warm-up -d 'Send messages for this time before the measurement; their losses count too [default: 2s without --duration and --messages]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s t -l topic -d 'Topic template with {run}, {i}, {s}, {client}, {seq}, {ts}, {uuid} and {rand:0..100} [default: mq-bench/{run}/{s}/{i}]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s s -l size -d 'Payload size, such as 512 or 64KiB, or a range such as 64..1KiB; the header of measured messages takes 24 bytes, with --rate 32' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s f -l payload-file -d 'Read the payload from a file; with subscribers, it follows the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l payload-recording -d 'Send the payloads of messages that `mq sub --json` wrote to a file, in order; with subscribers, they follow the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l payload-template -d 'Payload template with placeholders such as {seq} and {walk:18.0..25.0:0.1}, see below; with subscribers, it follows the header' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l inflight -d 'Maximum number of unacknowledged QoS 1 and 2 messages per publisher [default: 20]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l rate -d 'Messages per second of all publishers together, at planned times: 500, 5k, 1000/s, 30/min' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l arrivals -d 'Distribution of the sends of --rate: constant (equal intervals) or poisson (random)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l burst -d 'Number of messages that a publisher sends at a time, within --rate' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l ramp -d 'Ramp --rate up from 0 in this time; or replace --rate by two rates, from FROM to TO over --duration, as in 100..5k' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l stages -d 'Rates one after another, instead of --rate and --duration: \'100 for 30s, 100..1k for 1m, 0 for 10s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l on-off -d 'On and off times of each publisher, in turn, such as 10s/50s; the mean of --rate stays' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l topic-id -d 'Predefined topic id of all messages, in place of a topic; 1 to 65534' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l think -d 'Random pause of each publisher before each message, after the answer to the one before: 50ms..2s, or 1s. Sets --inflight to 1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l subscription-qos -d 'QoS level of the subscriptions, if it differs from --qos' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l share -d 'Use one shared subscription for all subscribers; each message goes to one of them' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l messages -d 'Number of messages of all publishers together; the run ends when they are sent, instead of after a duration' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l keep-connected -d 'Keep all connections after the work is done, until Ctrl-C, or for a time as in --keep-connected=5m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l seed -d 'Seed of random times, topics, sizes and payloads, from 0 to 4294967295 [default: random]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l connect-rate -d 'Number of clients that start to connect per second [default: as many as the broker accepts]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l timeout -d 'Timeout without progress: connections, acknowledgements or deliveries [default: 10s; with --sn at least the time of all retries]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l repeat -d 'Run the same load N times, and report the median and the spread of each metric for `mq bench compare`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l repeat-of -d 'Repeat the run of a report of --json with the same options; typed options take precedence, and secrets have to be set again' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l threads -d 'Number of threads for the clients [default: one per CPU]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l processes -d 'Number of processes for the clients, each with its own limit of open files [default: as many as needed]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l shard -d 'Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l start-at -d 'Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l credentials -d 'Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s h -l host -d 'Host name or address of the broker, or of several that share the clients, as in a,b:1884 [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s A -l bind -d 'Local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l psk-identity -d 'Identity of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l will-payload -d 'Payload of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l will-qos -d 'QoS of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l sn-forwarders -d 'Send from N sockets, each a forwarder for several clients, instead of a socket for each client' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l junit -d 'Write the verdict on each condition as JUnit XML, for CI systems' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l abort-if -d 'End the run early, with status 4, when a condition holds; as in \'p99>1s, lost_connections>1%, throughput<100/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l serve -d 'Serve the HTML page at this address during the run, with live figures; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l metrics -d 'Serve GET /metrics at this address during the run; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l progress -d 'Progress on standard error: a panel, a line every 10 seconds, or none [default: panel on a terminal, else lines]' -r -f -a "never\t''
lines\t''
panel\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l watch-broker -d 'Record the broker\'s counters, CPU and memory: from its $SYS topics, or from a Prometheus page at an http URL' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l search -d 'Find the highest sustained rate in runs of --duration (5 seconds), from --rate (1000) on; the report is that of this rate' -r -f -a "rate\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l until -d 'Conditions in which a rate of --search fails, as in \'p99>50ms\'; a rate that the broker does not sustain fails too' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s r -l retain -d 'Retain the messages: the broker keeps the last one of each topic'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l embedded -d 'Start an embedded broker for this run, in its own process'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l tls-resume -d 'Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l check -d 'Print the limits of this machine, whether the run fits, and how to raise each limit; without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -s d -l debug -d 'Print the packets of the first client of each kind to standard error, without progress'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l quiet -d 'Suppress messages on standard error, except those about failures'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l worker -d 'Serve the leader on standard input'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pubsub" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s c -l clients -d 'Number of clients [default: 100]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l hold -d 'Time that the clients stay connected [default: 10s]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l keep-connected -d 'Keep all connections after the work is done, until Ctrl-C, or for a time as in --keep-connected=5m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l connect-rate -d 'Number of clients that start to connect per second [default: as many as the broker accepts]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l timeout -d 'Timeout without progress: connections, acknowledgements or deliveries [default: 10s; with --sn at least the time of all retries]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l repeat -d 'Run the same load N times, and report the median and the spread of each metric for `mq bench compare`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l repeat-of -d 'Repeat the run of a report of --json with the same options; typed options take precedence, and secrets have to be set again' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l threads -d 'Number of threads for the clients [default: one per CPU]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l processes -d 'Number of processes for the clients, each with its own limit of open files [default: as many as needed]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l shard -d 'Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l start-at -d 'Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l credentials -d 'Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s h -l host -d 'Host name or address of the broker, or of several that share the clients, as in a,b:1884 [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s A -l bind -d 'Local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l psk-identity -d 'Identity of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l will-payload -d 'Payload of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l will-qos -d 'QoS of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l sn-forwarders -d 'Send from N sockets, each a forwarder for several clients, instead of a socket for each client' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l junit -d 'Write the verdict on each condition as JUnit XML, for CI systems' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l abort-if -d 'End the run early, with status 4, when a condition holds; as in \'p99>1s, lost_connections>1%, throughput<100/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l serve -d 'Serve the HTML page at this address during the run, with live figures; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l metrics -d 'Serve GET /metrics at this address during the run; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l progress -d 'Progress on standard error: a panel, a line every 10 seconds, or none [default: panel on a terminal, else lines]' -r -f -a "never\t''
lines\t''
panel\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l watch-broker -d 'Record the broker\'s counters, CPU and memory: from its $SYS topics, or from a Prometheus page at an http URL' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l embedded -d 'Start an embedded broker for this run, in its own process'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l tls-resume -d 'Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l check -d 'Print the limits of this machine, whether the run fits, and how to raise each limit; without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -s d -l debug -d 'Print the packets of the first client of each kind to standard error, without progress'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l quiet -d 'Suppress messages on standard error, except those about failures'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l worker -d 'Serve the leader on standard input'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from conn" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s c -l clients -d 'Number of publishers [default: 100]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l publishers -d 'Number of publishers [default: -c]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s q -l qos -d 'QoS level of messages: 0, 1 or 2; at an MQTT-SN gateway also -1, without a connection' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l duration -d 'Duration of the measurement, such as 30s or 2m [default: 10s, or until --messages are sent]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l warm-up -d 'Send messages for this time before the measurement; their losses count too [default: 2s without --duration and --messages]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s t -l topic -d 'Topic template with {run}, {i}, {s}, {client}, {seq}, {ts}, {uuid} and {rand:0..100} [default: mq-bench/{run}/{s}/{i}]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s s -l size -d 'Payload size, such as 512 or 64KiB, or a range such as 64..1KiB' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s f -l payload-file -d 'Read the payload from a file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l payload-recording -d 'Send the payloads of messages that `mq sub --json` wrote to a file, in order' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l payload-template -d 'Payload template with placeholders such as {seq} and {walk:18.0..25.0:0.1}, see below' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l inflight -d 'Maximum number of unacknowledged QoS 1 and 2 messages per publisher [default: 20]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l rate -d 'Messages per second of all publishers together, at planned times: 500, 5k, 1000/s, 30/min' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l arrivals -d 'Distribution of the sends of --rate: constant (equal intervals) or poisson (random)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l burst -d 'Number of messages that a publisher sends at a time, within --rate' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l ramp -d 'Ramp --rate up from 0 in this time; or replace --rate by two rates, from FROM to TO over --duration, as in 100..5k' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l stages -d 'Rates one after another, instead of --rate and --duration: \'100 for 30s, 100..1k for 1m, 0 for 10s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l on-off -d 'On and off times of each publisher, in turn, such as 10s/50s; the mean of --rate stays' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l topic-id -d 'Predefined topic id of all messages, in place of a topic; 1 to 65534' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l think -d 'Random pause of each publisher before each message, after the answer to the one before: 50ms..2s, or 1s. Sets --inflight to 1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l topics -d 'Topics from a CSV file, whose first line names the columns: topic, qos, and weight or rate' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l messages -d 'Number of messages of all publishers together; the run ends when they are sent, instead of after a duration' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l keep-connected -d 'Keep all connections after the work is done, until Ctrl-C, or for a time as in --keep-connected=5m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l seed -d 'Seed of random times, topics, sizes and payloads, from 0 to 4294967295 [default: random]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l connect-rate -d 'Number of clients that start to connect per second [default: as many as the broker accepts]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l timeout -d 'Timeout without progress: connections, acknowledgements or deliveries [default: 10s; with --sn at least the time of all retries]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l repeat -d 'Run the same load N times, and report the median and the spread of each metric for `mq bench compare`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l repeat-of -d 'Repeat the run of a report of --json with the same options; typed options take precedence, and secrets have to be set again' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l threads -d 'Number of threads for the clients [default: one per CPU]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l processes -d 'Number of processes for the clients, each with its own limit of open files [default: as many as needed]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l shard -d 'Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l start-at -d 'Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l credentials -d 'Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s h -l host -d 'Host name or address of the broker, or of several that share the clients, as in a,b:1884 [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s A -l bind -d 'Local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l psk-identity -d 'Identity of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l will-payload -d 'Payload of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l will-qos -d 'QoS of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l sn-forwarders -d 'Send from N sockets, each a forwarder for several clients, instead of a socket for each client' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l junit -d 'Write the verdict on each condition as JUnit XML, for CI systems' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l abort-if -d 'End the run early, with status 4, when a condition holds; as in \'p99>1s, lost_connections>1%, throughput<100/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l serve -d 'Serve the HTML page at this address during the run, with live figures; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l metrics -d 'Serve GET /metrics at this address during the run; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l progress -d 'Progress on standard error: a panel, a line every 10 seconds, or none [default: panel on a terminal, else lines]' -r -f -a "never\t''
lines\t''
panel\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l watch-broker -d 'Record the broker\'s counters, CPU and memory: from its $SYS topics, or from a Prometheus page at an http URL' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l search -d 'Find the highest sustained rate in runs of --duration (5 seconds), from --rate (1000) on; the report is that of this rate' -r -f -a "rate\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l until -d 'Conditions in which a rate of --search fails, as in \'p99>50ms\'; a rate that the broker does not sustain fails too' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s r -l retain -d 'Retain the messages: the broker keeps the last one of each topic'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l recorded-topics -d 'Send each message of --payload-recording to its recorded topic'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l embedded -d 'Start an embedded broker for this run, in its own process'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l tls-resume -d 'Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l check -d 'Print the limits of this machine, whether the run fits, and how to raise each limit; without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -s d -l debug -d 'Print the packets of the first client of each kind to standard error, without progress'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l quiet -d 'Suppress messages on standard error, except those about failures'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l worker -d 'Serve the leader on standard input'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from pub" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s c -l clients -d 'Number of subscribers [default: 100]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s q -l qos -d 'QoS level of the subscriptions: 0, 1 or 2' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l duration -d 'Duration of the measurement, such as 30s or 2m [default: 10s, or until --messages arrived]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l warm-up -d 'Receive messages for this time before the measurement [default: 2s without --duration and --messages]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s t -l topic -d 'Topic filter to subscribe to' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l topic-id -d 'Predefined topic id of all messages, in place of a topic; 1 to 65534' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l subscription-qos -d 'QoS level of the subscriptions, if it differs from --qos' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l share -d 'Use one shared subscription for all subscribers; each message goes to one of them' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l messages -d 'Number of messages to receive, of all subscribers together' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l keep-connected -d 'Keep all connections after the work is done, until Ctrl-C, or for a time as in --keep-connected=5m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l connect-rate -d 'Number of clients that start to connect per second [default: as many as the broker accepts]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l timeout -d 'Timeout without progress: connections, acknowledgements or deliveries [default: 10s; with --sn at least the time of all retries]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l repeat -d 'Run the same load N times, and report the median and the spread of each metric for `mq bench compare`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l repeat-of -d 'Repeat the run of a report of --json with the same options; typed options take precedence, and secrets have to be set again' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l threads -d 'Number of threads for the clients [default: one per CPU]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l processes -d 'Number of processes for the clients, each with its own limit of open files [default: as many as needed]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l shard -d 'Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l start-at -d 'Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l credentials -d 'Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s h -l host -d 'Host name or address of the broker, or of several that share the clients, as in a,b:1884 [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s A -l bind -d 'Local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l psk-identity -d 'Identity of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l will-payload -d 'Payload of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l will-qos -d 'QoS of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l sn-forwarders -d 'Send from N sockets, each a forwarder for several clients, instead of a socket for each client' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l junit -d 'Write the verdict on each condition as JUnit XML, for CI systems' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l abort-if -d 'End the run early, with status 4, when a condition holds; as in \'p99>1s, lost_connections>1%, throughput<100/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l serve -d 'Serve the HTML page at this address during the run, with live figures; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l metrics -d 'Serve GET /metrics at this address during the run; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l progress -d 'Progress on standard error: a panel, a line every 10 seconds, or none [default: panel on a terminal, else lines]' -r -f -a "never\t''
lines\t''
panel\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l watch-broker -d 'Record the broker\'s counters, CPU and memory: from its $SYS topics, or from a Prometheus page at an http URL' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l embedded -d 'Start an embedded broker for this run, in its own process'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l tls-resume -d 'Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l check -d 'Print the limits of this machine, whether the run fits, and how to raise each limit; without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -s d -l debug -d 'Print the packets of the first client of each kind to standard error, without progress'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l quiet -d 'Suppress messages on standard error, except those about failures'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l worker -d 'Serve the leader on standard input'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from sub" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s c -l clients -d 'Number of clients that send requests [default: 100]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l publishers -d 'Number of clients that send requests [default: -c]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l subscribers -d 'Number of clients that respond [default: one per requester up to 100, then one per ten]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s q -l qos -d 'QoS level of messages and subscriptions: 0, 1 or 2' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l duration -d 'Duration of the measurement, such as 30s or 2m [default: 10s, or until --messages are sent]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l warm-up -d 'Send messages for this time before the measurement; their losses count too [default: 2s without --duration and --messages]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s t -l topic -d 'Topic template of requests with {run}, {i}, {s} and {client} [default: mq-bench/{run}/requests/{s}]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s s -l size -d 'Payload size, such as 512 or 64KiB, or a range such as 64..1KiB; the header of measured messages takes 24 bytes, with --rate 32' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s f -l payload-file -d 'Read the payload from a file; with subscribers, it follows the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l payload-recording -d 'Send the payloads of messages that `mq sub --json` wrote to a file, in order; with subscribers, they follow the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l payload-template -d 'Payload template with placeholders such as {seq} and {walk:18.0..25.0:0.1}, see below; with subscribers, it follows the header' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l inflight -d 'Maximum number of unanswered requests per client [default: 1]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l rate -d 'Requests per second of all clients together, at planned times: 500, 5k, 1000/s, 30/min' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l arrivals -d 'Distribution of the sends of --rate: constant (equal intervals) or poisson (random)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l burst -d 'Number of messages that a publisher sends at a time, within --rate' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l ramp -d 'Ramp --rate up from 0 in this time; or replace --rate by two rates, from FROM to TO over --duration, as in 100..5k' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l stages -d 'Rates one after another, instead of --rate and --duration: \'100 for 30s, 100..1k for 1m, 0 for 10s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l on-off -d 'On and off times of each publisher, in turn, such as 10s/50s; the mean of --rate stays' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l think -d 'Random pause of each publisher before each message, after the answer to the one before: 50ms..2s, or 1s. Sets --inflight to 1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l messages -d 'Number of requests of all clients together; the run ends when they are sent, instead of after a duration' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l keep-connected -d 'Keep all connections after the work is done, until Ctrl-C, or for a time as in --keep-connected=5m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l seed -d 'Seed of random times, topics, sizes and payloads, from 0 to 4294967295 [default: random]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l connect-rate -d 'Number of clients that start to connect per second [default: as many as the broker accepts]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l timeout -d 'Timeout without progress: connections, acknowledgements or deliveries [default: 10s; with --sn at least the time of all retries]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l repeat -d 'Run the same load N times, and report the median and the spread of each metric for `mq bench compare`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l repeat-of -d 'Repeat the run of a report of --json with the same options; typed options take precedence, and secrets have to be set again' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l threads -d 'Number of threads for the clients [default: one per CPU]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l processes -d 'Number of processes for the clients, each with its own limit of open files [default: as many as needed]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l shard -d 'Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l start-at -d 'Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l credentials -d 'Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s h -l host -d 'Host name or address of the broker, or of several that share the clients, as in a,b:1884 [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s A -l bind -d 'Local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l psk-identity -d 'Identity of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l will-payload -d 'Payload of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l will-qos -d 'QoS of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l sn-forwarders -d 'Send from N sockets, each a forwarder for several clients, instead of a socket for each client' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l junit -d 'Write the verdict on each condition as JUnit XML, for CI systems' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l abort-if -d 'End the run early, with status 4, when a condition holds; as in \'p99>1s, lost_connections>1%, throughput<100/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l serve -d 'Serve the HTML page at this address during the run, with live figures; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l metrics -d 'Serve GET /metrics at this address during the run; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l progress -d 'Progress on standard error: a panel, a line every 10 seconds, or none [default: panel on a terminal, else lines]' -r -f -a "never\t''
lines\t''
panel\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l watch-broker -d 'Record the broker\'s counters, CPU and memory: from its $SYS topics, or from a Prometheus page at an http URL' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l search -d 'Find the highest sustained rate in runs of --duration (5 seconds), from --rate (1000) on; the report is that of this rate' -r -f -a "rate\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l until -d 'Conditions in which a rate of --search fails, as in \'p99>50ms\'; a rate that the broker does not sustain fails too' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s r -l retain -d 'Retain the messages: the broker keeps the last one of each topic'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l embedded -d 'Start an embedded broker for this run, in its own process'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l tls-resume -d 'Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l check -d 'Print the limits of this machine, whether the run fits, and how to raise each limit; without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -s d -l debug -d 'Print the packets of the first client of each kind to standard error, without progress'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l quiet -d 'Suppress messages on standard error, except those about failures'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l worker -d 'Serve the leader on standard input'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from rr" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s c -l clients -d 'Number of publishers; with --topology fan-out, of subscribers [default: 100]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l publishers -d 'Number of publishers [default: -c, or 1 with --topology fan-out]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l subscribers -d 'Number of clients that subscribe; 0 measures acknowledgements only [default: one per publisher up to 100, then one per ten]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l topology -d 'Topology: pairs, fan-in (one subscriber), fan-out (one publisher) or mesh (all to all)' -r -f -a "pairs\t'Each publisher has its own subscriber'
fan-in\t'One subscriber, or a few, for all publishers'
fan-out\t'One publisher, or a few, for all subscribers'
mesh\t'All subscribers receive the messages of all publishers'"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s q -l qos -d 'QoS level of messages and subscriptions: 0, 1 or 2' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l duration -d 'Duration of the measurement, such as 30s or 2m [default: 10s]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l warm-up -d 'Send messages for this time before the measurement; their losses count too [default: 2s without --duration]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s t -l topic -d 'Topic template with {run}, {i}, {s}, {client}, {seq}, {ts}, {uuid} and {rand:0..100} [default: mq-bench/{run}/{s}/{i}]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s s -l size -d 'Payload size, such as 512 or 64KiB, or a range such as 64..1KiB; the header of measured messages takes 24 bytes, with --rate 32' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s f -l payload-file -d 'Read the payload from a file; with subscribers, it follows the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l payload-recording -d 'Send the payloads of messages that `mq sub --json` wrote to a file, in order; with subscribers, they follow the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l payload-template -d 'Payload template with placeholders such as {seq} and {walk:18.0..25.0:0.1}, see below; with subscribers, it follows the header' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l inflight -d 'Maximum number of unacknowledged QoS 1 and 2 messages per publisher [default: 20]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l rate -d 'Messages per second of all publishers together, at planned times: 500, 5k, 1000/s, 30/min' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l arrivals -d 'Distribution of the sends of --rate: constant (equal intervals) or poisson (random)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l burst -d 'Number of messages that a publisher sends at a time, within --rate' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l ramp -d 'Ramp --rate up from 0 in this time; or replace --rate by two rates, from FROM to TO over --duration, as in 100..5k' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l stages -d 'Rates one after another, instead of --rate and --duration: \'100 for 30s, 100..1k for 1m, 0 for 10s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l on-off -d 'On and off times of each publisher, in turn, such as 10s/50s; the mean of --rate stays' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l topic-id -d 'Predefined topic id of all messages, in place of a topic; 1 to 65534' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l subscription-qos -d 'QoS level of the subscriptions, if it differs from --qos' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l share -d 'Use one shared subscription for all subscribers; each message goes to one of them' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l seed -d 'Seed of random times, topics, sizes and payloads, from 0 to 4294967295 [default: random]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l connect-rate -d 'Number of clients that start to connect per second [default: as many as the broker accepts]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l timeout -d 'Timeout without progress: connections, acknowledgements or deliveries [default: 10s; with --sn at least the time of all retries]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l repeat -d 'Run the same load N times, and report the median and the spread of each metric for `mq bench compare`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l repeat-of -d 'Repeat the run of a report of --json with the same options; typed options take precedence, and secrets have to be set again' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l threads -d 'Number of threads for the clients [default: one per CPU]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l processes -d 'Number of processes for the clients, each with its own limit of open files [default: as many as needed]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l shard -d 'Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l start-at -d 'Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l credentials -d 'Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s h -l host -d 'Host name or address of the broker, or of several that share the clients, as in a,b:1884 [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s A -l bind -d 'Local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l psk-identity -d 'Identity of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l will-payload -d 'Payload of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l will-qos -d 'QoS of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l sn-forwarders -d 'Send from N sockets, each a forwarder for several clients, instead of a socket for each client' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l junit -d 'Write the verdict on each condition as JUnit XML, for CI systems' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l abort-if -d 'End the run early, with status 4, when a condition holds; as in \'p99>1s, lost_connections>1%, throughput<100/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l serve -d 'Serve the HTML page at this address during the run, with live figures; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l metrics -d 'Serve GET /metrics at this address during the run; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l progress -d 'Progress on standard error: a panel, a line every 10 seconds, or none [default: panel on a terminal, else lines]' -r -f -a "never\t''
lines\t''
panel\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l watch-broker -d 'Record the broker\'s counters, CPU and memory: from its $SYS topics, or from a Prometheus page at an http URL' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l search -d 'Find the highest sustained rate in runs of --duration (5 seconds), from --rate (1000) on; the report is that of this rate' -r -f -a "rate\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l until -d 'Conditions in which a rate of --search fails, as in \'p99>50ms\'; a rate that the broker does not sustain fails too' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s r -l retain -d 'Retain the messages: the broker keeps the last one of each topic'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l keep-sessions -d 'Keep the sessions of the subscribers. MQTT 5 removes them after the run; with MQTT 3 they stay at the broker'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l embedded -d 'Start an embedded broker for this run, in its own process'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l tls-resume -d 'Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l check -d 'Print the limits of this machine, whether the run fits, and how to raise each limit; without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -s d -l debug -d 'Print the packets of the first client of each kind to standard error, without progress'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l quiet -d 'Suppress messages on standard error, except those about failures'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l worker -d 'Serve the leader on standard input'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from reconnect" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l keep-connected -d 'Keep all connections after the work is done, until Ctrl-C, or for a time as in --keep-connected=5m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l seed -d 'Seed of random times, topics, sizes and payloads, from 0 to 4294967295 [default: random]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l connect-rate -d 'Number of clients that start to connect per second [default: as many as the broker accepts]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l timeout -d 'Timeout without progress: connections, acknowledgements or deliveries [default: 10s; with --sn at least the time of all retries]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l repeat -d 'Run the same load N times, and report the median and the spread of each metric for `mq bench compare`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l repeat-of -d 'Repeat the run of a report of --json with the same options; typed options take precedence, and secrets have to be set again' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l threads -d 'Number of threads for the clients [default: one per CPU]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l processes -d 'Number of processes for the clients, each with its own limit of open files [default: as many as needed]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l shard -d 'Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l start-at -d 'Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +30s' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l credentials -d 'Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s h -l host -d 'Host name or address of the broker, or of several that share the clients, as in a,b:1884 [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s A -l bind -d 'Local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l psk-identity -d 'Identity of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l will-payload -d 'Payload of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l will-qos -d 'QoS of the will' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l sn-forwarders -d 'Send from N sockets, each a forwarder for several clients, instead of a socket for each client' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l sn-retry-interval -d 'Time after which an unanswered message is repeated (T_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l sn-retry-count -d 'Repetitions before the gateway counts as gone (N_retry)' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l junit -d 'Write the verdict on each condition as JUnit XML, for CI systems' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l abort-if -d 'End the run early, with status 4, when a condition holds; as in \'p99>1s, lost_connections>1%, throughput<100/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l serve -d 'Serve the HTML page at this address during the run, with live figures; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l metrics -d 'Serve GET /metrics at this address during the run; a port alone is one of 127.0.0.1' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l progress -d 'Progress on standard error: a panel, a line every 10 seconds, or none [default: panel on a terminal, else lines]' -r -f -a "never\t''
lines\t''
panel\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l watch-broker -d 'Record the broker\'s counters, CPU and memory: from its $SYS topics, or from a Prometheus page at an http URL' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l validate -d 'Check the file and print its groups, without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l example -d 'Print a commented example of a scenario file'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l keys -d 'Print all keys of scenario files, with types, defaults and examples'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l embedded -d 'Start an embedded broker for this run, in its own process'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l sn -d 'Connect to an MQTT-SN gateway over UDP, as with -L mqtt-sn://HOST:PORT; the default port is 10000'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l discover -d 'Search a gateway with SEARCHGW at -h, which may be a multicast group or a broadcast address [default: 225.1.1.1]'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l tls-resume -d 'Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l check -d 'Print the limits of this machine, whether the run fits, and how to raise each limit; without a run'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -s d -l debug -d 'Print the packets of the first client of each kind to standard error, without progress'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l quiet -d 'Suppress messages on standard error, except those about failures'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l worker -d 'Serve the leader on standard input'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from scenario" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l junit -d 'Write the verdict on each condition as JUnit XML, for CI systems' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l quiet -d 'Suppress messages about failures in the reports; the output and the exit status still show them'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from merge" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -l tolerance -d 'Largest difference that is no change, in percent' -r
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -l output -d 'Format of the comparison on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''"
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -l json -d 'Write the comparison as JSON; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -l html -d 'Write a self-contained HTML page: curves of up to eight reports, or the trend of each metric by date' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -l markdown -d 'Write the comparison as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -s o -l option-file -d 'Read options from a file, one per line with its value; typed options take precedence' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -l allow-different -d 'Compare reports of different loads, and list the differences'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -l fail-if-worse -d 'Exit with status 4 if a metric is worse or is no longer measured'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -l quiet -d 'Suppress messages on standard error, except those about failures'
complete -c mq -n "__fish_mq_using_subcommand bench; and __fish_seen_subcommand_from compare" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l hex -d 'Decode packets in hexadecimal; `-` reads a packet from each line of standard input. The prefix `c2s:` or `s2c:` gives the direction' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l base64 -d 'Decode packets in Base64; `-` reads a packet from each line of standard input, as with --hex' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l direction -d 'Direction of the packets of --hex and --base64 [default: inferred from the packets]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l format -d 'Output format' -r -f -a "line\t'One line per packet'
text\t'One line per field'
hex\t'All bytes, beside the fields they belong to'
json\t'One JSON object per line'"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l lint -d 'Check against the specification, and report findings of at least this severity' -r -f -a "error\t'Violations of a statement'
warn\t'Likely problems as well'
info\t'Notes as well'"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l explain -d 'List the rules for a statement, such as MQTT-3.3.1-2' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l payload -d 'Format to decode payloads as' -r -f -a "auto\t'By content type, topic and shape'
text\t'Text if valid, otherwise bytes'
hex\t'Bytes'
json\t'JSON'
cbor\t'CBOR'
msgpack\t'MessagePack'
cbor-seq\t'CBOR items without an array around them'
sparkplug\t'Sparkplug B'
protobuf\t'Protocol buffers, by the schema or as fields by number'
wire\t'Protocol buffers, as fields by number'
gzip\t'Compressed with gzip'
zlib\t'Compressed with zlib'
deflate\t'Compressed with deflate, without a header'
zstd\t'Compressed with Zstandard'
lz4\t'Compressed with LZ4, in frames'
snappy\t'Compressed with Snappy, in frames or one block'"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l schema -d 'Schema of payloads in protocol buffers: a .proto file, whose imports are found beside it, or a descriptor set of `protoc --include_imports -o FILE`. Can be repeated' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l type -d 'Message type of payloads, such as `gw.Uplink`, or of the topics of a filter, as in \'gw/+/up=gw.Uplink\'. Can be repeated; the most exact filter counts. The table `[payloads]` in the configuration file sets both options' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l filter -d 'Print only packets that meet the expression, such as \'type=PUBLISH,PUBACK topic=home/#\' or \'size>=1024 and not (qos=0 or payload~error)\'. Repeat to print others as well. Keys are type, topic, client, payload, connection, frame, id, qos, dup, retain, code, size, payload_length, rtt, time, direction and finding' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l since -d 'Print only what happened from this time on: +5m from the first packet, 10:15:00, 2026-11-28T10:15:00Z, or seconds since 1970' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l until -d 'Print only what happened up to this time' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l follow -d 'Print only the connections of this client identifier, in which `*` matches any text. Repeat for more clients' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l conversation -d 'Print this connection as a table of both sides, cut to the width of the terminal. Connections are counted from 0, and each line has the number. With another --format, print the packets in it' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l diagnose -d 'Report what went wrong, the likeliest causes first: who closed connections, clients that disconnect each other or are silent, refusals, denied topics, missing and slow answers. With INTERVAL, live traffic is reported again and again. --follow, --since and --until select a part; with --format json as JSON' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l html -d 'Write a page with a picture of the packets and a diagnosis to this file, instead of the lines; - is standard output. The page needs no other file and no network. --filter, --follow, --since and --until select the packets' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l sn-version -d 'MQTT-SN version of all clients: 1.2 or 2.0 [default: the version in CONNECT, or else inferred]' -r -f -a "1.2\t''
2.0\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l decode-as -d 'UDP port whose datagrams are MQTT-SN, as in 5000=mqtt-sn. Can be repeated; `--port 5000=mqtt-sn` is the same [default: 1883, 1884, 2442 and 10000, and other ports if a CONNECT or a request with its answer is captured]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l predefined -d 'Topics of predefined topic ids: a file with lines `ID TOPIC`, or `CLIENT, TOPIC, ID`' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l sn-keys -d 'Keys that verify and decrypt protected packets of MQTT-SN 2.0: a file with lines `SENDER KEY` in hexadecimal digits; the sender * is all senders' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l listen -d 'Run a proxy: listen here, forward to --to, and print the packets. ADDR defaults to 127.0.0.1; port 0 picks a free one. ws://ADDR:PORT accepts WebSocket; mqtts:// and wss:// accept TLS; udp:// is for MQTT-SN' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l to -d 'Address that the proxy forwards to: HOST:PORT, or a URL of mqtt, mqtts, ws, wss or unix. TLS options apply to this connection. For MQTT-SN, the gateway as HOST or HOST:PORT; the default port is 10000' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l listen-cert -d 'Certificate that the proxy presents to clients, followed in the file by its issuers' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l listen-key -d 'Private key of --listen-cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -s t -l topic -d 'Subscribe with -h HOST, and print all packets in both directions. Without -t, only up to the CONNACK. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -s q -l qos -d 'Maximum QoS to receive at' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -s C -l count -d 'Exit after this many messages' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -s W -l timeout -d 'Exit after this time, such as 30s; also for the proxy' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l write -d 'Write the packets to this pcapng file for Wireshark, as plain TCP without TLS and WebSocket' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -s h -l host -d 'Broker\'s host name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand inspect" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -s A -l bind -d 'Local address to connect from' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand inspect" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r -f -a "v1\t''
v2\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r -f -a "tlsv1.2\t''
tlsv1.3\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l psk-identity -d 'Identity of --psk at the broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-engine -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-engine-kpass-sha1 -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r -f -a "aws\t''
azure-iothub\t''
azure-eventgrid\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l will-payload -d 'Payload of the will' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l will-qos -d 'QoS of the will' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r -f -a "connect\t''
publish\t''
subscribe\t''
unsubscribe\t''
disconnect\t''
will\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -s V -l protocol-version -d 'MQTT version: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5). For captured and typed packets: the version of connections without a CONNECT [default: detected; 311 for a live client]' -r -f -a "31\t''
311\t''
5\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-keylog -d 'File of TLS secrets: read for a capture, appended to for a live connection. A capture\'s file may still grow [default for a live connection: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r -f
complete -c mq -n "__fish_mq_using_subcommand inspect" -l rules -d 'List all rules of --lint'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l stats -d 'Print counts and times, in total and for each connection; with --format json as JSON'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ranges -d 'Include every field and the position of its bytes, with --format json'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l show-secrets -d 'Show passwords and authentication data'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l sn -d 'Decode --hex and --base64 as MQTT-SN: each value or line is a datagram'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand inspect" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand inspect" -s c -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand doctor" -s t -l topic -d 'Prefix of the topics for the checks' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l check-timeout -d 'Timeout of each check' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -s W -l timeout -d 'Exit after this time, such as 30s, with the findings so far' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -s h -l host -d 'Broker\'s host name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand doctor" -s p -l port -d 'Broker\'s port [default: 1883, or 8883 with TLS]' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -s A -l bind -d 'Local address to connect from' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l connect-timeout -d 'Timeout for connecting, up to the broker\'s CONNACK, such as 500ms or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -s u -l username -d 'User name [default: the variable MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand doctor" -s P -l pw -d 'Password, visible in the process list [default: the variable MQ_PASSWORD]' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l password-file -d 'Read the password from the first line of a file; - is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -s k -l keepalive -d 'Keep-alive interval: time without traffic before a PINGREQ is sent, such as 60 or 1m' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l auth-method -d 'Authentication method, such as SCRAM-SHA-256 or OAUTH2-JWT; chooses MQTT 5. SCRAM-SHA-256, SCRAM-SHA-512 and the weak SCRAM-SHA-1 prove the password of -u, and send neither user name nor password in CONNECT; any other name is sent with --auth-data-file' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l auth-data-file -d 'File with the method\'s authentication data; - is standard input. Sent whole, except for the line end after a single line of text' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l reauthenticate -d 'Reauthenticate at this interval, such as 10m, on the open connection. Reads the data file again, or repeats the SCRAM exchange' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -s L -l url -d 'Broker and topic as a URL: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, percent-encoded. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path. With ws or wss and -t, the path is that of the WebSocket' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l unix -d 'Path of the broker\'s unix socket; the same as -p 0 with the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l proxy -d 'Connect through a proxy: SCHEME://USER:PASSWORD@HOST:PORT. SCHEME is socks5h (the proxy resolves names), socks5 (they are resolved locally; default port 1080 for both) or http (8080)' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l proxy-protocol -d 'Send a PROXY protocol header, as a load balancer does: v1 (text) or v2 (binary). It contains the addresses of this connection, and precedes TLS and MQTT' -r -f -a "v1\t''
v2\t''"
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ws-path -d 'Path of the WebSocket [default: /mqtt]' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ws-header -d 'Header for the WebSocket request, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l cafile -d 'Use TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l capath -d 'Use TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l cert -d 'Client certificate, followed in the file by its issuers. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l key -d 'Private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l key-password-file -d 'File with the password of --key [default: the variable MQ_KEY_PASSWORD, or a prompt on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l keyform -d 'Format of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-hostname -d 'Name that the broker\'s certificate must match [default: the host]' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-version -d 'Minimum TLS version: tlsv1.2 or tlsv1.3 [default: tlsv1.2]' -r -f -a "tlsv1.2\t''
tlsv1.3\t''"
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ciphers -d 'Cipher suites by OpenSSL\'s names, separated by colons. Those of TLS 1.3 stay unless named' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-groups -d 'Key exchange groups to offer, separated by colons, the preferred one first: x25519, secp256r1, secp384r1 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-signatures -d 'Signature schemes to accept from the broker, as in ecdsa_secp256r1_sha256:ed25519 or RSA-PSS+SHA256 [default: all]' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-alpn -d 'Protocols to offer with ALPN, separated by commas' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-keylog -d 'Append the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l psk -d 'Pre-shared key in hexadecimal, instead of certificates. Needs --psk-identity' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l psk-identity -d 'Identity of --psk at the broker' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-engine -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-engine-kpass-sha1 -d 'Not supported' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l preset -d 'Connect as a service requires: aws (AWS IoT Core), azure-iothub or azure-eventgrid. Rejects options that the service does not support; see docs/hosted-brokers.md' -r -f -a "aws\t''
azure-iothub\t''
azure-eventgrid\t''"
complete -c mq -n "__fish_mq_using_subcommand doctor" -l device -d 'With azure-iothub: DEVICE or DEVICE/MODULE. Sets the client identifier, the user name and the default topics' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l sas-key-file -d 'With azure-iothub: file with the device\'s key or connection string. It signs a SAS token for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l sas-lifetime -d 'With --sas-key-file: lifetime of a SAS token, after which a hub disconnects [default: 1h]' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -s i -l id -d 'Client identifier [default: chosen by the broker]' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -s I -l id-prefix -d 'Client identifier made of this prefix and the process ID' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -s D -l property -d 'Add a property to a packet, as in `-D publish content-type text/plain`; chooses MQTT 5. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value' -r -f -a "connect\t''
publish\t''
subscribe\t''
unsubscribe\t''
disconnect\t''
will\t''"
complete -c mq -n "__fish_mq_using_subcommand doctor" -s V -l protocol-version -d 'Only MQTT version to try: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: all three]' -r -f -a "31\t''
311\t''
5\t''"
complete -c mq -n "__fish_mq_using_subcommand doctor" -s x -l session-expiry-interval -d 'Session expiry interval, such as 3600 or 1h; -1 never expires. Chooses MQTT 5' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l will-topic -d 'Topic of the will, a message that the broker publishes when the client is gone' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l will-payload -d 'Payload of the will' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l will-qos -d 'QoS of the will' -r -f -a "0\t''
1\t''
2\t''"
complete -c mq -n "__fish_mq_using_subcommand doctor" -l profile -d 'Profile in ~/.config/mq/config.toml with values for options that are not typed. NAME selects the table [profile.NAME]; see `mq config --help` [default: the variable MQ_PROFILE, or default-profile in the file]' -r -f
complete -c mq -n "__fish_mq_using_subcommand doctor" -l json -d 'Print a JSON object'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l allow-control-characters -d 'Allow control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand doctor" -s S -d 'Find host and port by the SRV records of -h; -p has no effect. The service is _mqtt._tcp, or _secure-mqtt._tcp with TLS'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ws -d 'Use MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l nodelay -d 'Send small packets without delay (TCP_NODELAY); always enabled'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-use-os-certs -d 'Use TLS, and trust the operating system\'s certificates; the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l no-tls -d 'Disable TLS, regardless of the port and the other options'
complete -c mq -n "__fish_mq_using_subcommand doctor" -s d -l debug -d 'Log every packet on standard error'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l quiet -d 'Suppress messages about failures at run time; the exit status still reports them'
complete -c mq -n "__fish_mq_using_subcommand doctor" -s c -l disable-clean-session -d 'Keep the session: messages that arrive while disconnected are delivered later. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l will-retain -d 'Retain the will at the broker for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand config; and not __fish_seen_subcommand_from show check path" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand config; and not __fish_seen_subcommand_from show check path" -f -a "show" -d 'Print the configured options and the source of each value'
complete -c mq -n "__fish_mq_using_subcommand config; and not __fish_seen_subcommand_from show check path" -f -a "check" -d 'Report all mistakes in the file and in the variables'
complete -c mq -n "__fish_mq_using_subcommand config; and not __fish_seen_subcommand_from show check path" -f -a "path" -d 'Print the path of the file, whether or not it exists'
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from show" -l profile -d 'Profile to apply [default: the variable MQ_PROFILE, or default-profile in the file]' -r -f
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Print a JSON object'
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from show" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from check" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from path" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand install-links" -l force -d 'Replace existing files'
complete -c mq -n "__fish_mq_using_subcommand install-links" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand completions" -l dir -d 'Write the files for all shells to this directory' -r -f -a "(__fish_complete_directories)"
complete -c mq -n "__fish_mq_using_subcommand completions" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand man" -l dir -d 'Write all pages to this directory' -r -f -a "(__fish_complete_directories)"
complete -c mq -n "__fish_mq_using_subcommand man" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "pub" -d 'Publish messages'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "sub" -d 'Subscribe and print messages'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "rr" -d 'Send a request and print the response'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "top" -d 'Show the topics of a broker on the terminal'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "passwd" -d 'Manage users and passwords of brokers'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "broker" -d 'Run a broker for development and tests'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "gateway" -d 'Run a gateway between MQTT-SN clients and a broker'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "bridge" -d 'Forward messages between two brokers'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "bench" -d 'Measure a broker under the load of many clients'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "inspect" -d 'Decode captured packets and report problems'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "doctor" -d 'Report a broker\'s features, limits and permissions'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "config" -d 'Show and check profiles and variables'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "install-links" -d 'Create links by which mq replaces mosquitto\'s tools'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "completions" -d 'Generate completions for a shell'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "man" -d 'Print a manual page'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr top passwd broker gateway bridge bench inspect doctor config install-links completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "verify" -d 'Check a password against the file'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "list" -d 'List the users and the hash schemes of their passwords'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "check" -d 'Report the lines that a broker would not load'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "import" -d 'Add and update the users of a list (CSV)'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "psk" -d 'Generate a key for TLS with pre-shared keys'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "scram" -d 'Generate a user\'s keys for SCRAM, which proves a password without sending it'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "pubsub" -d 'Clients publish and clients subscribe; every message is checked (the default)'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "conn" -d 'Clients connect and stay connected'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "pub" -d 'Clients publish, without subscribers of this run'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "sub" -d 'Clients subscribe to messages of other publishers'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "rr" -d 'Clients send requests and clients respond: the round trip'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "reconnect" -d 'Like pubsub, but all connections are dropped at once halfway, and made again'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "scenario" -d 'Groups of clients with different loads, from a file'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "merge" -d 'Merge the reports of several runs into one, without a run'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "compare" -d 'Compare reports: what became better or worse, by more than noise'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Print the configured options and the source of each value'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Report all mistakes in the file and in the variables'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "path" -d 'Print the path of the file, whether or not it exists'
