# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mq_global_optspecs
    string join \n help V/version
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
complete -c mq -n "__fish_mq_needs_command" -s V -l version -d 'Print version'
complete -c mq -n "__fish_mq_needs_command" -f -a "pub" -d 'Publish messages'
complete -c mq -n "__fish_mq_needs_command" -f -a "sub" -d 'Subscribe, and print the messages that arrive'
complete -c mq -n "__fish_mq_needs_command" -f -a "rr" -d 'Send a request, and print the answer'
complete -c mq -n "__fish_mq_needs_command" -f -a "passwd" -d 'Manage users and passwords of brokers'
complete -c mq -n "__fish_mq_needs_command" -f -a "broker" -d 'Run a broker for development and tests'
complete -c mq -n "__fish_mq_needs_command" -f -a "bench" -d 'Flood a broker with clients, and measure what it does'
complete -c mq -n "__fish_mq_needs_command" -f -a "inspect" -d 'Decode captured packets, and say what is wrong with them'
complete -c mq -n "__fish_mq_needs_command" -f -a "doctor" -d 'Ask a broker what it is, and try what it allows'
complete -c mq -n "__fish_mq_needs_command" -f -a "config" -d 'Tell what profiles and variables say about connections'
complete -c mq -n "__fish_mq_needs_command" -f -a "install-links" -d 'Take the place of mosquitto\'s tools: make links with their names'
complete -c mq -n "__fish_mq_needs_command" -f -a "completions" -d 'Print what lets a shell complete commands and options'
complete -c mq -n "__fish_mq_needs_command" -f -a "man" -d 'Print a page of the manual'
complete -c mq -n "__fish_mq_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mq -n "__fish_mq_using_subcommand pub" -s t -l topic -d 'The topic to publish to; with --ndjson or --replay, where a message names none' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s m -l message -d 'Publish this' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s f -l file -d 'Publish what is in a file' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l random -d 'Publish so many random bytes, or from how many to how many, as in 64..1024; others with each repetition' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l input -d 'What -m, -f, -s and the lines of -l hold: raw bytes, or hex or base64 of them' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l delay -d 'Let EMQX publish the message after this time, as in 90, 15m or 1h30m, by the topic $delayed/SECONDS/TOPIC' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l at -d 'Let EMQX publish the message at this time, as in 2026-12-01T09:00Z' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l replay -d 'Publish the messages of a recording that `mq sub --record` made, with the pauses between them. Can be repeated: one after the other. Chooses MQTT 5' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l speed -d 'Replay so many times as fast as it was recorded, as in 2 or 0.5; max for as fast as the broker takes it' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l rate -d 'Replay so many messages a second, as in 500, 5k or 30/min, whatever the pauses were' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l rewrite -d 'Replay what was below one topic below another one, as in home=test/home; =test puts it in front of all. Can be repeated: the first that fits counts' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s q -l qos -d 'How hard to try: 0 at most once, 1 at least once, 2 exactly once' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l repeat -d 'Publish the message this many times' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l repeat-delay -d 'Pause between repetitions, counted from the acknowledgement' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l timeout -d 'Give up after this many seconds, connecting included' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s h -l host -d 'The broker\'s name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand pub" -s p -l port -d 'The broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s A -l bind -d 'The local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l connect-timeout -d 'How long connecting may take, until the broker\'s CONNACK' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s u -l username -d 'The user name [default: that in MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand pub" -s P -l pw -d 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l password-file -d 'Read the password from the first line of a file; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -s k -l keepalive -d 'The longest silence in seconds before a sign of life is sent' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l auth-method -d 'Authenticate with this method: SCRAM-SHA-256, SCRAM-SHA-512 or the weak SCRAM-SHA-1 prove that the password of -u is known, without sending either in CONNECT; any other is a name that the broker knows, as OAUTH2-JWT. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l auth-data-file -d 'The method\'s authentication data: the whole file, but for the line end behind a single line of text; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l reauthenticate -d 'Authenticate again so long after each time, on the open connection: with the data file as it is then, or with SCRAM anew' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s L -l url -d 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l unix -d 'The path of the broker\'s unix socket; or -p 0, and the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l proxy -d 'Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080), or http:// (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l proxy-protocol -d 'Send a PROXY protocol header with the addresses of this connection, as a load balancer does, in front of TLS and MQTT: v1 (text) or v2 (binary)' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l ws-path -d 'The WebSocket\'s path [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l ws-header -d 'A header to send with the request for the WebSocket, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l cafile -d 'Speak TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l capath -d 'Speak TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l cert -d 'Our own certificate, followed in the file by those that issued it. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l key -d 'The private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l key-password-file -d 'A file with the password of --key [default: the variable MQ_KEY_PASSWORD, or a question on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l keyform -d 'The form of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-hostname -d 'The name that the broker\'s certificate must be for [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-version -d 'The version of TLS: tlsv1.2 (or newer) or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l ciphers -d 'The cipher suites by OpenSSL\'s names, with colons between; those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-alpn -d 'The protocols to offer with ALPN, with commas between' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-keylog -d 'Add the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l psk -d 'A key that the broker has too, in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l psk-identity -d 'The name of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l preset -d 'Connect as this service expects it, and refuse what it does not take: aws (AWS IoT Core), azure-iothub or azure-eventgrid. docs/hosted-brokers.md says what is done' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l device -d 'With azure-iothub: the device, or DEVICE/MODULE; client identifier, user name and topics follow from it' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l sas-key-file -d 'With azure-iothub: a file with the device\'s key or connection string, which signs a password for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l sas-lifetime -d 'With --sas-key-file: how long a password is good, after which a hub ends the connection [default: 3600]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s i -l id -d 'The client identifier [default: the broker chooses one]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s I -l id-prefix -d 'A client identifier made of this and the process\'s number' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s x -l session-expiry-interval -d 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l will-topic -d 'The topic of a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l will-payload -d 'The will\'s payload' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l will-qos -d 'The will\'s QoS' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s D -l property -d 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -l retries -d 'How often to connect again after a failure, the first time included [default: after a lost connection sub without end, pub -l 15, otherwise 0]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s M -l max-inflight -d 'The most messages of QoS 1 and 2 to have unacknowledged' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s V -l protocol-version -d 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311, with --ndjson and --replay 5]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s o -l option-file -d 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_pub, if it is there]' -r -F
complete -c mq -n "__fish_mq_using_subcommand pub" -l profile -d 'The profile of ~/.config/mq/config.toml that gives what is not typed, as in --profile home for the table [profile.home]; `mq config --help` tells more [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand pub" -s s -l stdin-file -d 'Publish all of standard input as one message'
complete -c mq -n "__fish_mq_using_subcommand pub" -s n -l null-message -d 'Publish an empty message'
complete -c mq -n "__fish_mq_using_subcommand pub" -l template -d 'Fill in the topic and the payload for each message: {i} is its number from 0, {ts} the time ({ts:ms} since 1970, also s, us, ns), {uuid} a UUID, {rand:0..100} any number below 100, {rand:18.0..25.5} one with a decimal'
complete -c mq -n "__fish_mq_using_subcommand pub" -s l -l stdin-line -d 'Publish each line of standard input as a message'
complete -c mq -n "__fish_mq_using_subcommand pub" -l ndjson -d 'Publish a message for each line of standard input, a JSON object as `mq sub --json` prints it. Chooses MQTT 5'
complete -c mq -n "__fish_mq_using_subcommand pub" -s r -l retain -d 'Let the broker keep the message for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand pub" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand pub" -l allow-control-characters -d 'Send control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand pub" -s S -d 'Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect'
complete -c mq -n "__fish_mq_using_subcommand pub" -l ws -d 'Speak MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand pub" -l nodelay -d 'Send small packets at once, which is always done'
complete -c mq -n "__fish_mq_using_subcommand pub" -l tls-use-os-certs -d 'Speak TLS, and trust whom the operating system trusts, which is the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand pub" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand pub" -l no-tls -d 'Speak no TLS, whatever the port and the other options say'
complete -c mq -n "__fish_mq_using_subcommand pub" -s c -l disable-clean-session -d 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand pub" -l will-retain -d 'Let the broker keep the will for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand pub" -s d -l debug -d 'Show every packet on standard error'
complete -c mq -n "__fish_mq_using_subcommand pub" -l quiet -d 'Keep quiet about failures at run time; the exit status still tells'
complete -c mq -n "__fish_mq_using_subcommand pub" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand sub" -s t -l topic -d 'A topic filter to subscribe to; + stands for one level, # for all that follow. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l topic-qos -d 'A topic filter to subscribe to at a QoS of its own, as in 2:alarms/#. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l share -d 'Share the messages with all who subscribe in the same group: $share/GROUP/ in front of each filter' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s q -l qos -d 'The highest QoS to receive at' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s T -l filter-out -d 'Leave out messages whose topic matches. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s U -l unsubscribe -d 'A topic filter to unsubscribe from, in a session that was kept. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l random-filter -d 'Print only so many of a hundred messages, chosen at random: 0.1 to 100' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l retain-handling -d 'Whether kept messages are sent on subscribing: always, new or never (MQTT 5)' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s F -l format -d 'Print each message so: %t topic, %p payload, %x in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %I time, %U Unix time, %j JSON, %J JSON with the payload as JSON; %C %R %D %E %F %S %A %P MQTT 5 properties; @H strftime\'s %H' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l output -d 'Print payloads raw, without line ends, or as hex or base64, each on a line' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l decode -d 'Decode payloads to JSON: auto (by content type, topic and shape), json, cbor, cbor-seq, msgpack, sparkplug (only below spBv1.0/, with any levels in front), protobuf (fields by number), gzip, zlib, deflate, zstd, lz4 or snappy' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l select -d 'Print only this field of each payload, as in `a.b[0]` or `/a/b/0`, decoded as --decode says or as its shape does; strings without quotes, null where it is not there. Can be repeated: a tab stands between' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l record -d 'Keep messages in this file, which `mq pub --replay` reads, instead of printing them: a JSON object a line, or a database when the name ends in .sqlite. What is there already stays' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l rotate -d 'Go on in a new file at this size, as in 100M, or this age, as in 1h or 1d; the full one gets the time behind its name' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l exec -d 'Run this shell command for each message instead of printing it: the payload on its standard input, the rest in MQTT_TOPIC, MQTT_QOS, MQTT_RETAIN, MQTT_TIME, MQTT_CONTENT_TYPE, MQTT_RESPONSE_TOPIC, MQTT_CORRELATION_DATA (in hex), MQTT_USER_PROPERTIES (in JSON)' -r -f -a "(__fish_complete_command)"
complete -c mq -n "__fish_mq_using_subcommand sub" -l exec-jobs -d 'How many of these commands may run at a time; nothing more is read from the broker while messages wait for theirs' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s C -l count -d 'Exit after this many messages' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s W -l timeout -d 'Exit after this many seconds, connecting included' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l idle-timeout -d 'Exit when no message came for this long' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s h -l host -d 'The broker\'s name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand sub" -s p -l port -d 'The broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s A -l bind -d 'The local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l connect-timeout -d 'How long connecting may take, until the broker\'s CONNACK' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s u -l username -d 'The user name [default: that in MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand sub" -s P -l pw -d 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l password-file -d 'Read the password from the first line of a file; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -s k -l keepalive -d 'The longest silence in seconds before a sign of life is sent' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s V -l protocol-version -d 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l auth-method -d 'Authenticate with this method: SCRAM-SHA-256, SCRAM-SHA-512 or the weak SCRAM-SHA-1 prove that the password of -u is known, without sending either in CONNECT; any other is a name that the broker knows, as OAUTH2-JWT. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l auth-data-file -d 'The method\'s authentication data: the whole file, but for the line end behind a single line of text; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l reauthenticate -d 'Authenticate again so long after each time, on the open connection: with the data file as it is then, or with SCRAM anew' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s L -l url -d 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l unix -d 'The path of the broker\'s unix socket; or -p 0, and the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l proxy -d 'Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080), or http:// (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l proxy-protocol -d 'Send a PROXY protocol header with the addresses of this connection, as a load balancer does, in front of TLS and MQTT: v1 (text) or v2 (binary)' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l ws-path -d 'The WebSocket\'s path [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l ws-header -d 'A header to send with the request for the WebSocket, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l cafile -d 'Speak TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l capath -d 'Speak TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l cert -d 'Our own certificate, followed in the file by those that issued it. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l key -d 'The private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l key-password-file -d 'A file with the password of --key [default: the variable MQ_KEY_PASSWORD, or a question on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l keyform -d 'The form of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-hostname -d 'The name that the broker\'s certificate must be for [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-version -d 'The version of TLS: tlsv1.2 (or newer) or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l ciphers -d 'The cipher suites by OpenSSL\'s names, with colons between; those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-alpn -d 'The protocols to offer with ALPN, with commas between' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-keylog -d 'Add the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l psk -d 'A key that the broker has too, in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l psk-identity -d 'The name of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l preset -d 'Connect as this service expects it, and refuse what it does not take: aws (AWS IoT Core), azure-iothub or azure-eventgrid. docs/hosted-brokers.md says what is done' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l device -d 'With azure-iothub: the device, or DEVICE/MODULE; client identifier, user name and topics follow from it' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l sas-key-file -d 'With azure-iothub: a file with the device\'s key or connection string, which signs a password for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l sas-lifetime -d 'With --sas-key-file: how long a password is good, after which a hub ends the connection [default: 3600]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s i -l id -d 'The client identifier [default: the broker chooses one]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s I -l id-prefix -d 'A client identifier made of this and the process\'s number' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s x -l session-expiry-interval -d 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l will-topic -d 'The topic of a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l will-payload -d 'The will\'s payload' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l will-qos -d 'The will\'s QoS' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s D -l property -d 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -l retries -d 'How often to connect again after a failure, the first time included [default: after a lost connection sub without end, pub -l 15, otherwise 0]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s M -l max-inflight -d 'The most messages of QoS 1 and 2 to have unacknowledged' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s o -l option-file -d 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_sub, if it is there]' -r -F
complete -c mq -n "__fish_mq_using_subcommand sub" -l profile -d 'The profile of ~/.config/mq/config.toml that gives what is not typed, as in --profile home for the table [profile.home]; `mq config --help` tells more [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand sub" -s R -l no-retained -d 'Leave out messages that the broker had kept'
complete -c mq -n "__fish_mq_using_subcommand sub" -l retained-only -d 'Print only messages that the broker had kept, and exit when there are no more: at the first other one, or after a second without any'
complete -c mq -n "__fish_mq_using_subcommand sub" -l no-local -d 'Leave out the messages that this client itself publishes (MQTT 5)'
complete -c mq -n "__fish_mq_using_subcommand sub" -l remove-retained -d 'Delete every kept message that arrives, unless -T leaves its topic out'
complete -c mq -n "__fish_mq_using_subcommand sub" -l dry-run -d 'With --remove-retained: only print what would be deleted'
complete -c mq -n "__fish_mq_using_subcommand sub" -l message-rate -d 'Print how many messages came in each second, instead of the messages'
complete -c mq -n "__fish_mq_using_subcommand sub" -l retain-as-published -d 'Let RETAIN stay as it was published (MQTT 5)'
complete -c mq -n "__fish_mq_using_subcommand sub" -s v -l verbose -d 'Print the topic in front of the payload'
complete -c mq -n "__fish_mq_using_subcommand sub" -s N -l no-newline -d 'Print no line end after a message'
complete -c mq -n "__fish_mq_using_subcommand sub" -l json -d 'Print each message as a JSON object on a line of its own, whatever it holds; `mq pub --ndjson` reads it'
complete -c mq -n "__fish_mq_using_subcommand sub" -l pretty -d 'Lay JSON out over several lines'
complete -c mq -n "__fish_mq_using_subcommand sub" -s w -l watch -d 'Show on the screen the latest message of each topic'
complete -c mq -n "__fish_mq_using_subcommand sub" -s E -l exit-after-subscribe -d 'Exit when the subscriptions are made, to set up a session that is kept'
complete -c mq -n "__fish_mq_using_subcommand sub" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand sub" -l allow-control-characters -d 'Send control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand sub" -s S -d 'Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect'
complete -c mq -n "__fish_mq_using_subcommand sub" -l ws -d 'Speak MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand sub" -l nodelay -d 'Send small packets at once, which is always done'
complete -c mq -n "__fish_mq_using_subcommand sub" -l tls-use-os-certs -d 'Speak TLS, and trust whom the operating system trusts, which is the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand sub" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand sub" -l no-tls -d 'Speak no TLS, whatever the port and the other options say'
complete -c mq -n "__fish_mq_using_subcommand sub" -s c -l disable-clean-session -d 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand sub" -l will-retain -d 'Let the broker keep the will for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand sub" -s d -l debug -d 'Show every packet on standard error'
complete -c mq -n "__fish_mq_using_subcommand sub" -l quiet -d 'Keep quiet about failures at run time; the exit status still tells'
complete -c mq -n "__fish_mq_using_subcommand sub" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand rr" -s t -l topic -d 'The topic to send the request to' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s e -l response-topic -d 'The topic that answers come to [default: one that nobody else has]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s m -l message -d 'Publish this' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s f -l file -d 'Publish what is in a file' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l random -d 'Publish so many random bytes, or from how many to how many, as in 64..1024; others with each repetition' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l input -d 'What -m, -f, -s and the lines of -l hold: raw bytes, or hex or base64 of them' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s q -l qos -d 'The QoS of the request and of the answers: 0, 1 or 2' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l retain-handling -d 'Whether kept messages are sent on subscribing: always, new or never (MQTT 5)' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s F -l format -d 'Print each message so: %t topic, %p payload, %x in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %I time, %U Unix time, %j JSON, %J JSON with the payload as JSON; %C %R %D %E %F %S %A %P MQTT 5 properties; @H strftime\'s %H' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l output -d 'Print payloads raw, without line ends, or as hex or base64, each on a line' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l decode -d 'Decode payloads to JSON: auto (by content type, topic and shape), json, cbor, cbor-seq, msgpack, sparkplug (only below spBv1.0/, with any levels in front), protobuf (fields by number), gzip, zlib, deflate, zstd, lz4 or snappy' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l select -d 'Print only this field of each payload, as in `a.b[0]` or `/a/b/0`, decoded as --decode says or as its shape does; strings without quotes, null where it is not there. Can be repeated: a tab stands between' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l count -d 'Exit after this many answers' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s W -l timeout -d 'Exit after this many seconds, connecting included' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s h -l host -d 'The broker\'s name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand rr" -s p -l port -d 'The broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s A -l bind -d 'The local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l connect-timeout -d 'How long connecting may take, until the broker\'s CONNACK' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s u -l username -d 'The user name [default: that in MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand rr" -s P -l pw -d 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l password-file -d 'Read the password from the first line of a file; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -s k -l keepalive -d 'The longest silence in seconds before a sign of life is sent' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l auth-method -d 'Authenticate with this method: SCRAM-SHA-256, SCRAM-SHA-512 or the weak SCRAM-SHA-1 prove that the password of -u is known, without sending either in CONNECT; any other is a name that the broker knows, as OAUTH2-JWT. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l auth-data-file -d 'The method\'s authentication data: the whole file, but for the line end behind a single line of text; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l reauthenticate -d 'Authenticate again so long after each time, on the open connection: with the data file as it is then, or with SCRAM anew' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s L -l url -d 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l unix -d 'The path of the broker\'s unix socket; or -p 0, and the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l proxy -d 'Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080), or http:// (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l proxy-protocol -d 'Send a PROXY protocol header with the addresses of this connection, as a load balancer does, in front of TLS and MQTT: v1 (text) or v2 (binary)' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l ws-path -d 'The WebSocket\'s path [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l ws-header -d 'A header to send with the request for the WebSocket, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l cafile -d 'Speak TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l capath -d 'Speak TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l cert -d 'Our own certificate, followed in the file by those that issued it. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l key -d 'The private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l key-password-file -d 'A file with the password of --key [default: the variable MQ_KEY_PASSWORD, or a question on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l keyform -d 'The form of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-hostname -d 'The name that the broker\'s certificate must be for [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-version -d 'The version of TLS: tlsv1.2 (or newer) or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l ciphers -d 'The cipher suites by OpenSSL\'s names, with colons between; those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-alpn -d 'The protocols to offer with ALPN, with commas between' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-keylog -d 'Add the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l psk -d 'A key that the broker has too, in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l psk-identity -d 'The name of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l preset -d 'Connect as this service expects it, and refuse what it does not take: aws (AWS IoT Core), azure-iothub or azure-eventgrid. docs/hosted-brokers.md says what is done' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l device -d 'With azure-iothub: the device, or DEVICE/MODULE; client identifier, user name and topics follow from it' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l sas-key-file -d 'With azure-iothub: a file with the device\'s key or connection string, which signs a password for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l sas-lifetime -d 'With --sas-key-file: how long a password is good, after which a hub ends the connection [default: 3600]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s i -l id -d 'The client identifier [default: the broker chooses one]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s I -l id-prefix -d 'A client identifier made of this and the process\'s number' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s x -l session-expiry-interval -d 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l will-topic -d 'The topic of a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l will-payload -d 'The will\'s payload' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l will-qos -d 'The will\'s QoS' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s D -l property -d 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -l retries -d 'How often to connect again after a failure, the first time included [default: after a lost connection sub without end, pub -l 15, otherwise 0]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s M -l max-inflight -d 'The most messages of QoS 1 and 2 to have unacknowledged' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s V -l protocol-version -d 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 5]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s o -l option-file -d 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_rr, if it is there]' -r -F
complete -c mq -n "__fish_mq_using_subcommand rr" -l profile -d 'The profile of ~/.config/mq/config.toml that gives what is not typed, as in --profile home for the table [profile.home]; `mq config --help` tells more [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand rr" -s s -l stdin-file -d 'Publish all of standard input as one message'
complete -c mq -n "__fish_mq_using_subcommand rr" -s n -l null-message -d 'Publish an empty message'
complete -c mq -n "__fish_mq_using_subcommand rr" -l template -d 'Fill in the topic and the payload for each message: {i} is its number from 0, {ts} the time ({ts:ms} since 1970, also s, us, ns), {uuid} a UUID, {rand:0..100} any number below 100, {rand:18.0..25.5} one with a decimal'
complete -c mq -n "__fish_mq_using_subcommand rr" -s R -l no-retained -d 'Leave out an answer that the broker had kept'
complete -c mq -n "__fish_mq_using_subcommand rr" -l retain-as-published -d 'Let RETAIN stay as it was published (MQTT 5)'
complete -c mq -n "__fish_mq_using_subcommand rr" -s v -l verbose -d 'Print the topic in front of the payload'
complete -c mq -n "__fish_mq_using_subcommand rr" -s N -l no-newline -d 'Print no line end after a message'
complete -c mq -n "__fish_mq_using_subcommand rr" -l json -d 'Print each message as a JSON object on a line of its own, whatever it holds; `mq pub --ndjson` reads it'
complete -c mq -n "__fish_mq_using_subcommand rr" -l pretty -d 'Lay JSON out over several lines'
complete -c mq -n "__fish_mq_using_subcommand rr" -s w -l watch -d 'Show on the screen the latest message of each topic'
complete -c mq -n "__fish_mq_using_subcommand rr" -l latency -d 'Print how long each answer took'
complete -c mq -n "__fish_mq_using_subcommand rr" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand rr" -l allow-control-characters -d 'Send control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand rr" -s S -d 'Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect'
complete -c mq -n "__fish_mq_using_subcommand rr" -l ws -d 'Speak MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand rr" -l nodelay -d 'Send small packets at once, which is always done'
complete -c mq -n "__fish_mq_using_subcommand rr" -l tls-use-os-certs -d 'Speak TLS, and trust whom the operating system trusts, which is the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand rr" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand rr" -l no-tls -d 'Speak no TLS, whatever the port and the other options say'
complete -c mq -n "__fish_mq_using_subcommand rr" -s c -l disable-clean-session -d 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand rr" -l will-retain -d 'Let the broker keep the will for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand rr" -s d -l debug -d 'Show every packet on standard error'
complete -c mq -n "__fish_mq_using_subcommand rr" -l quiet -d 'Keep quiet about failures at run time; the exit status still tells'
complete -c mq -n "__fish_mq_using_subcommand rr" -l help -d 'Print help'
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
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -s I -l iterations -d 'Iterations of sha512-pbkdf2; more make guesses and logins slower [default: 20000]' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l memory -d 'Memory of argon2id [default: 47104]' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l passes -d 'Passes of argon2id over its memory [default: 1]' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l lanes -d 'Lanes of argon2id (parallelism) [default: 1]' -r
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
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l role -d 'Role of a new user, for mosquitto-dynsec and hivemq [default: all-topics, if the file has it]' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and not __fish_seen_subcommand_from verify list check import psk scram" -l vhost -d 'Virtual host in which a new user gets all permissions, for rabbitmq [default: /]' -r
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
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from verify" -s I -l iterations -d 'Iterations of EMQX\'s sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]' -r
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
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from list" -s I -l iterations -d 'Iterations of EMQX\'s sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]' -r
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
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -s I -l iterations -d 'Iterations of sha512-pbkdf2; more make guesses and logins slower [default: 20000]' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l memory -d 'Memory of argon2id [default: 47104]' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l passes -d 'Passes of argon2id over its memory [default: 1]' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l lanes -d 'Lanes of argon2id (parallelism) [default: 1]' -r
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
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l role -d 'Role of a new user, for mosquitto-dynsec and hivemq [default: all-topics, if the file has it]' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l vhost -d 'Virtual host in which a new user gets all permissions, for rabbitmq [default: /]' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -s c -l create -d 'Create the file'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l force -d 'Replace an existing file, with -c'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l no-header -d 'Treat the first row as a user, never as a header'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l keep-going -d 'Skip bad rows, and import the others'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l superuser -d 'Make a new user a superuser, for emqx-json and emqx-csv'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from import" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -l bytes -d 'Key length in bytes, 16 to 256' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -s c -l create -d 'Create the file'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -l force -d 'Replace an existing file, with -c'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -s D -l delete -d 'Delete the identity'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -l print -d 'Print the key'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from psk" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -l mechanism -d 'SCRAM mechanism of the user\'s keys' -r -f -a "SCRAM-SHA-256\t''
SCRAM-SHA-512\t''"
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -s I -l iterations -d 'PBKDF2 iterations, 4096 to 10000000; more make the client\'s login and guesses slower' -r
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -l password-file -d 'Read the password from the first line of a file; `-` is standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -s c -l create -d 'Create the file; `-` prints the line instead'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -l force -d 'Replace an existing file, with -c'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -s D -l delete -d 'Delete the user'
complete -c mq -n "__fish_mq_using_subcommand passwd; and __fish_seen_subcommand_from scram" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand broker" -s p -l port -d 'The port to listen on; 0 picks a free one [default: 1883, or none with --unix]' -r
complete -c mq -n "__fish_mq_using_subcommand broker" -l ws-port -d 'A port to listen on for MQTT over WebSocket, at any path; 0 picks a free one' -r
complete -c mq -n "__fish_mq_using_subcommand broker" -l unix -d 'A unix socket to listen on; who may write to it may connect. One that a killed broker left is replaced' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l password-file -d 'Let in only the users in this file, which is mosquitto\'s password file; SIGHUP has it read again' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l scram-file -d 'Let in users of this file of `mq passwd scram` with SCRAM-SHA-256 and SCRAM-SHA-512; who comes without such a method is let in by the rules of --password-file. SIGHUP has it read again' -r -F
complete -c mq -n "__fish_mq_using_subcommand broker" -l bind -d 'The address to listen on' -r
complete -c mq -n "__fish_mq_using_subcommand broker" -l client-memory -d 'Memory that one client may make the broker hold: subscriptions, will, buffers, messages not yet taken; as in 16M' -r
complete -c mq -n "__fish_mq_using_subcommand broker" -l memory -d 'Memory that all clients together may make the broker hold, retained messages included; as in 512M or 2G' -r
complete -c mq -n "__fish_mq_using_subcommand broker" -l allow-anonymous -d 'Let in clients without a user name as well; needs --password-file or --scram-file'
complete -c mq -n "__fish_mq_using_subcommand broker" -l allow-empty-passwords -d 'Accept empty passwords of users whose stored hash is that of an empty password'
complete -c mq -n "__fish_mq_using_subcommand broker" -l stop-with-stdin -d 'Stop when standard input ends, as it does when the program that started the broker is gone'
complete -c mq -n "__fish_mq_using_subcommand broker" -s v -l verbose -d 'Tell of every client that comes and goes, on standard error'
complete -c mq -n "__fish_mq_using_subcommand broker" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand bench" -s c -l clients -d 'Number of clients: publishers, or the clients of conn, sub or rr [default: 100]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l publishers -d 'Number of clients that publish [default: -c, or 1 with --topology fan-out]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l subscribers -d 'Number of clients that subscribe or respond; 0 for none [default: one per publisher, 100, or one per ten publishers]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l topology -d 'Topology: pairs, fan-in (one subscriber), fan-out (one publisher) or mesh (all to all)' -r -f -a "pairs\t'Each publisher has its own subscriber'
fan-in\t'One subscriber, or a few, for all publishers'
fan-out\t'One publisher, or a few, for all subscribers'
mesh\t'All subscribers receive the messages of all publishers'"
complete -c mq -n "__fish_mq_using_subcommand bench" -s q -l qos -d 'QoS level of messages and subscriptions: 0, 1 or 2' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l subscription-qos -d 'QoS level of the subscriptions, if it differs from --qos' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s s -l size -d 'Payload size in bytes, or a range as in 64..1024; the header of measured messages takes 24 bytes, with --rate 32' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s f -l payload-file -d 'Read the payload from a file; with subscribers, it follows the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l payload-recording -d 'Send the payloads of messages that `mq sub --json` wrote to a file, in order; with subscribers, they follow the header' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l payload-template -d 'Payload template with {i}, {client}, {seq}, {ts}, {uuid} and {rand:0..100}. With subscribers, it follows the header' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s t -l topic -d 'Topic template with {run}, {i}, {s}, {client}, {seq}, {ts}, {uuid} and {rand:0..100}. With sub, the topic filter [default: mq-bench/{run}/{s}/{i}]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l share -d 'Use one shared subscription for all subscribers; each message goes to one of them' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l messages -d 'Number of messages of all publishers together [default: 1000 each, from 10000 to 100000, and at least 10 each]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l duration -d 'Duration of the load in seconds [default: until --messages are sent; 10 with --rate, sub and reconnect]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l hold -d 'Time in seconds that the clients of conn stay connected [default: 10]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l warm-up -d 'Send messages for N seconds before the measurement; their losses count too' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l rate -d 'Messages per second of all publishers together, at planned times: 500, 5k, 1000/s, 30/min' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l arrivals -d 'Distribution of the sends of --rate: constant (equal intervals) or poisson (random)' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l burst -d 'Number of messages that a publisher sends at a time, within --rate' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l ramp -d 'Ramp --rate up from 0 in N seconds; or replace --rate by two rates, from FROM to TO over --duration, as in 100..5k' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l inflight -d 'Maximum of unacknowledged QoS 1 and 2 messages per publisher [default: 20]; with rr, of unanswered requests [default: 1]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l connect-rate -d 'Number of clients that start to connect per second [default: as many as the broker accepts]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l threads -d 'Number of threads for the clients [default: one per CPU]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l timeout -d 'Timeout in seconds without progress: connections, acknowledgements or deliveries' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l processes -d 'Number of processes for the clients, each with its own limit of open files [default: as many as needed]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l shard -d 'Run part K of N of the clients, topics, rates and messages, as in 2/3; merge the reports with `mq bench merge`' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l start-at -d 'Start to send at this time, with all clients connected. Formats: 2026-01-31T12:00:00Z, seconds since 1970, or +SECONDS' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l credentials -d 'Credentials from a CSV file, a row per client; the first line names the columns: client_id, username, password' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l output -d 'Format of the report on standard output [default: text]' -r -f -a "text\t''
json\t''
markdown\t''
csv\t''
prometheus\t''"
complete -c mq -n "__fish_mq_using_subcommand bench" -l json -d 'Write the report as JSON, for --baseline and other programs; - is standard output here and below' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l csv -d 'Write the counts and latencies of each second as comma-separated values' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l hdr -d 'Write the latencies as a log of HDR histograms' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l html -d 'Write a self-contained HTML page with plots' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l markdown -d 'Write a summary as Markdown' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l prometheus -d 'Write metrics in the text format of Prometheus' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l metrics -d 'Serve GET /metrics at this address during the run' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l fail-if -d 'Exit with status 4 if a condition holds or was not measured; as in \'p99>10ms, loss>0, throughput<5000/s\'' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l baseline -d 'Compare with an earlier report of --json, and exit with status 4 if this one is worse' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l tolerance -d 'Tolerance by which throughput and latencies may be worse than the baseline' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l search -d 'Find the highest sustained rate in runs of --duration (5 seconds), from --rate (1000) on; the report is that of this rate' -r -f -a "rate\t''"
complete -c mq -n "__fish_mq_using_subcommand bench" -l until -d 'Conditions in which a rate of --search fails, as in \'p99>50ms\'; a rate that the broker does not sustain fails too' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s h -l host -d 'The broker\'s name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand bench" -s p -l port -d 'The broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s A -l bind -d 'The local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l connect-timeout -d 'How long connecting may take, until the broker\'s CONNACK' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s u -l username -d 'The user name [default: that in MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand bench" -s P -l pw -d 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l password-file -d 'Read the password from the first line of a file; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -s k -l keepalive -d 'The longest silence in seconds before a sign of life is sent' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s V -l protocol-version -d 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l auth-method -d 'Authenticate with this method: SCRAM-SHA-256, SCRAM-SHA-512 or the weak SCRAM-SHA-1 prove that the password of -u is known, without sending either in CONNECT; any other is a name that the broker knows, as OAUTH2-JWT. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l auth-data-file -d 'The method\'s authentication data: the whole file, but for the line end behind a single line of text; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -s L -l url -d 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l unix -d 'The path of the broker\'s unix socket; or -p 0, and the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l proxy -d 'Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080), or http:// (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l proxy-protocol -d 'Send a PROXY protocol header with the addresses of this connection, as a load balancer does, in front of TLS and MQTT: v1 (text) or v2 (binary)' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l ws-path -d 'The WebSocket\'s path [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l ws-header -d 'A header to send with the request for the WebSocket, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l cafile -d 'Speak TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l capath -d 'Speak TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l cert -d 'Our own certificate, followed in the file by those that issued it. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l key -d 'The private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l key-password-file -d 'A file with the password of --key [default: the variable MQ_KEY_PASSWORD, or a question on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l keyform -d 'The form of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand bench" -l tls-hostname -d 'The name that the broker\'s certificate must be for [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l tls-version -d 'The version of TLS: tlsv1.2 (or newer) or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l ciphers -d 'The cipher suites by OpenSSL\'s names, with colons between; those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l tls-alpn -d 'The protocols to offer with ALPN, with commas between' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l tls-keylog -d 'Add the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l psk -d 'A key that the broker has too, in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l psk-identity -d 'The name of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l preset -d 'Connect as this service expects it, and refuse what it does not take: aws (AWS IoT Core), azure-iothub or azure-eventgrid. docs/hosted-brokers.md says what is done' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l device -d 'With azure-iothub: the device, or DEVICE/MODULE; client identifier, user name and topics follow from it' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l sas-key-file -d 'With azure-iothub: a file with the device\'s key or connection string, which signs a password for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l sas-lifetime -d 'With --sas-key-file: how long a password is good, after which a hub ends the connection [default: 3600]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s i -l id -d 'The client identifier [default: the broker chooses one]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s I -l id-prefix -d 'A client identifier made of this and the process\'s number' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s x -l session-expiry-interval -d 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l will-topic -d 'The topic of a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l will-payload -d 'The will\'s payload' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l will-qos -d 'The will\'s QoS' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s D -l property -d 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l reauthenticate -d 'Authenticate again so long after each time, on the open connection: with the data file as it is then, or with SCRAM anew' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -s o -l option-file -d 'Read options from a file, one on each line with its value behind it; what is typed wins over it' -r -F
complete -c mq -n "__fish_mq_using_subcommand bench" -l profile -d 'The profile of ~/.config/mq/config.toml that gives what is not typed, as in --profile home for the table [profile.home]; `mq config --help` tells more [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand bench" -l recorded-topics -d 'Send each message of --payload-recording to its recorded topic; only with pub'
complete -c mq -n "__fish_mq_using_subcommand bench" -s r -l retain -d 'Retain the messages: the broker keeps the last one of each topic'
complete -c mq -n "__fish_mq_using_subcommand bench" -l keep-sessions -d 'Keep the sessions of the subscribers of reconnect. MQTT 5 removes them after the run; with MQTT 3 they stay at the broker'
complete -c mq -n "__fish_mq_using_subcommand bench" -l check -d 'Print the limits of this machine, whether the run fits, and how to raise each limit; without a run'
complete -c mq -n "__fish_mq_using_subcommand bench" -l embedded -d 'Start an embedded broker for this run, in its own process'
complete -c mq -n "__fish_mq_using_subcommand bench" -l tls-resume -d 'Resume the TLS session when a client reconnects; otherwise every connection makes a full handshake'
complete -c mq -n "__fish_mq_using_subcommand bench" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand bench" -l allow-control-characters -d 'Send control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand bench" -s S -d 'Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect'
complete -c mq -n "__fish_mq_using_subcommand bench" -l ws -d 'Speak MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand bench" -l nodelay -d 'Send small packets at once, which is always done'
complete -c mq -n "__fish_mq_using_subcommand bench" -l tls-use-os-certs -d 'Speak TLS, and trust whom the operating system trusts, which is the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand bench" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand bench" -l no-tls -d 'Speak no TLS, whatever the port and the other options say'
complete -c mq -n "__fish_mq_using_subcommand bench" -l will-retain -d 'Let the broker keep the will for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand bench" -l worker -d 'Serve the leader on standard input'
complete -c mq -n "__fish_mq_using_subcommand bench" -s d -l debug -d 'Print the packets of the first client of each kind to standard error, without progress'
complete -c mq -n "__fish_mq_using_subcommand bench" -l quiet -d 'Suppress messages about failures at run time; the report and the exit status still show them'
complete -c mq -n "__fish_mq_using_subcommand bench" -l disable-clean-session -d 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand bench" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l hex -d 'Packets in hexadecimal instead of a capture; `-` reads a packet from each line of standard input, with `c2s:` or `s2c:` in front where it matters who sent it' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l base64 -d 'Packets in Base64 instead of a capture; `-` reads a packet from each line of standard input, as with --hex' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l direction -d 'Who sent the packets of --hex and --base64; without it, whoever sends such packets' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l format -d 'How packets are shown' -r -f -a "line\t'A line for each packet'
text\t'Every field on a line of its own'
hex\t'All bytes, beside the fields that own them'
json\t'A JSON object on each line'"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l lint -d 'Judge what is said by the statements of the specification, and show what is at least so bad' -r -f -a "error\t'Only what breaks a statement'
warn\t'Also what asks for trouble'
info\t'Also what is worth knowing'"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l explain -d 'Print the rules that stand for a statement, such as MQTT-3.3.1-2' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l payload -d 'Decode payloads as this format' -r -f -a "auto\t'By content type, topic and shape'
text\t'Text where it is some, and else bytes'
hex\t'Bytes'
json\t'JSON'
cbor\t'CBOR'
msgpack\t'MessagePack'
cbor-seq\t'CBOR items without an array around them'
sparkplug\t'Sparkplug B'
protobuf\t'Protocol buffers, as fields by number'
gzip\t'Compressed with gzip'
zlib\t'Compressed with zlib'
deflate\t'Compressed with deflate, without a header'
zstd\t'Compressed with Zstandard'
lz4\t'Compressed with LZ4, in frames'
snappy\t'Compressed with Snappy, in frames or one block'"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l filter -d 'Only packets that meet all these terms, such as \'type=PUBLISH,PUBACK topic=home/#\'; again, to show others as well. Terms are type, topic, client, connection, id, qos, code and finding; `!` in front turns one round' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l listen -d 'Be a proxy: listen here, forward to --to, and show what passes. ADDR is 127.0.0.1 unless it is given; ws://ADDR:PORT takes WebSockets, mqtts:// and wss:// speak TLS; port 0 picks a free one' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l to -d 'Where the proxy forwards to: HOST:PORT, or a URL with mqtt, mqtts, ws, wss or unix. The options about TLS are for that way' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l listen-cert -d 'The certificate that clients of the proxy see, followed in the file by those that issued it' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l listen-key -d 'The private key of --listen-cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -s t -l topic -d 'Subscribe with -h HOST, and show all packets both ways; without -t, only what the broker\'s CONNACK says. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s q -l qos -d 'The highest QoS to receive at' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s C -l count -d 'Exit after this many messages' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s W -l timeout -d 'Exit after this many seconds; the proxy too' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l write -d 'Write what is said to this file, as pcapng for Wireshark: out of TLS and WebSocket, as if it had been plain TCP' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -s h -l host -d 'The broker\'s name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand inspect" -s p -l port -d 'The broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s A -l bind -d 'The local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l connect-timeout -d 'How long connecting may take, until the broker\'s CONNACK' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s u -l username -d 'The user name [default: that in MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand inspect" -s P -l pw -d 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l password-file -d 'Read the password from the first line of a file; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -s k -l keepalive -d 'The longest silence in seconds before a sign of life is sent' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l auth-method -d 'Authenticate with this method: SCRAM-SHA-256, SCRAM-SHA-512 or the weak SCRAM-SHA-1 prove that the password of -u is known, without sending either in CONNECT; any other is a name that the broker knows, as OAUTH2-JWT. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l auth-data-file -d 'The method\'s authentication data: the whole file, but for the line end behind a single line of text; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l reauthenticate -d 'Authenticate again so long after each time, on the open connection: with the data file as it is then, or with SCRAM anew' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s L -l url -d 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l unix -d 'The path of the broker\'s unix socket; or -p 0, and the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l proxy -d 'Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080), or http:// (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l proxy-protocol -d 'Send a PROXY protocol header with the addresses of this connection, as a load balancer does, in front of TLS and MQTT: v1 (text) or v2 (binary)' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ws-path -d 'The WebSocket\'s path [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ws-header -d 'A header to send with the request for the WebSocket, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l cafile -d 'Speak TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l capath -d 'Speak TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l cert -d 'Our own certificate, followed in the file by those that issued it. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l key -d 'The private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l key-password-file -d 'A file with the password of --key [default: the variable MQ_KEY_PASSWORD, or a question on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l keyform -d 'The form of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-hostname -d 'The name that the broker\'s certificate must be for [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-version -d 'The version of TLS: tlsv1.2 (or newer) or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ciphers -d 'The cipher suites by OpenSSL\'s names, with colons between; those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-alpn -d 'The protocols to offer with ALPN, with commas between' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l psk -d 'A key that the broker has too, in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l psk-identity -d 'The name of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l preset -d 'Connect as this service expects it, and refuse what it does not take: aws (AWS IoT Core), azure-iothub or azure-eventgrid. docs/hosted-brokers.md says what is done' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l device -d 'With azure-iothub: the device, or DEVICE/MODULE; client identifier, user name and topics follow from it' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l sas-key-file -d 'With azure-iothub: a file with the device\'s key or connection string, which signs a password for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l sas-lifetime -d 'With --sas-key-file: how long a password is good, after which a hub ends the connection [default: 3600]' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s i -l id -d 'The client identifier [default: the broker chooses one]' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s I -l id-prefix -d 'A client identifier made of this and the process\'s number' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s x -l session-expiry-interval -d 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l will-topic -d 'The topic of a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l will-payload -d 'The will\'s payload' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l will-qos -d 'The will\'s QoS' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s D -l property -d 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -s V -l protocol-version -d 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5); of a capture or of typed packets, what a connection speaks whose CONNECT is not there [default: found out; 311 for a live client]' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-keylog -d 'The secrets of TLS: for a capture they are read from this file, which may still grow; a live connection\'s are added to it [default for a live connection: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand inspect" -l profile -d 'The profile of ~/.config/mq/config.toml that gives what is not typed, as in --profile home for the table [profile.home]; `mq config --help` tells more [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand inspect" -l rules -d 'Print all rules that --lint knows'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l stats -d 'Counts and times of all and of each connection, instead of packets; with --format json as JSON'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ranges -d 'Every field with the place of its bytes, with --format json'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l show-secrets -d 'Show passwords and authentication data'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l allow-control-characters -d 'Send control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand inspect" -s S -d 'Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l ws -d 'Speak MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l nodelay -d 'Send small packets at once, which is always done'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l tls-use-os-certs -d 'Speak TLS, and trust whom the operating system trusts, which is the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l no-tls -d 'Speak no TLS, whatever the port and the other options say'
complete -c mq -n "__fish_mq_using_subcommand inspect" -s c -l disable-clean-session -d 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l will-retain -d 'Let the broker keep the will for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand inspect" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand doctor" -s t -l topic -d 'The topic below which everything is tried' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l check-timeout -d 'How long each check waits for an answer' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s W -l timeout -d 'Exit after this many seconds, with what was found out so far' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s h -l host -d 'The broker\'s name or address [default: localhost]' -r -f -a "(__fish_print_hostnames)"
complete -c mq -n "__fish_mq_using_subcommand doctor" -s p -l port -d 'The broker\'s port [default: 1883, or 8883 with TLS]' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s A -l bind -d 'The local address to connect from' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l connect-timeout -d 'How long connecting may take, until the broker\'s CONNACK' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s u -l username -d 'The user name [default: that in MQ_USERNAME]' -r -f -a "(__fish_complete_users)"
complete -c mq -n "__fish_mq_using_subcommand doctor" -s P -l pw -d 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l password-file -d 'Read the password from the first line of a file; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -s k -l keepalive -d 'The longest silence in seconds before a sign of life is sent' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l auth-method -d 'Authenticate with this method: SCRAM-SHA-256, SCRAM-SHA-512 or the weak SCRAM-SHA-1 prove that the password of -u is known, without sending either in CONNECT; any other is a name that the broker knows, as OAUTH2-JWT. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l auth-data-file -d 'The method\'s authentication data: the whole file, but for the line end behind a single line of text; - stands for standard input' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l reauthenticate -d 'Authenticate again so long after each time, on the open connection: with the data file as it is then, or with SCRAM anew' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s L -l url -d 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l unix -d 'The path of the broker\'s unix socket; or -p 0, and the path as -h' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l proxy -d 'Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080), or http:// (8080)' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l proxy-protocol -d 'Send a PROXY protocol header with the addresses of this connection, as a load balancer does, in front of TLS and MQTT: v1 (text) or v2 (binary)' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ws-path -d 'The WebSocket\'s path [default: /mqtt]' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ws-header -d 'A header to send with the request for the WebSocket, as in \'Authorization: Bearer TOKEN\'. Can be repeated' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l cafile -d 'Speak TLS, and trust the certificates in this file' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l capath -d 'Speak TLS, and trust the certificates in the files of this directory' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l cert -d 'Our own certificate, followed in the file by those that issued it. Needs --key' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l key -d 'The private key of --cert' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l key-password-file -d 'A file with the password of --key [default: the variable MQ_KEY_PASSWORD, or a question on the terminal]' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l keyform -d 'The form of --key: pem' -r -f -a "pem\t''
engine\t''"
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-hostname -d 'The name that the broker\'s certificate must be for [default: the host]' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-version -d 'The version of TLS: tlsv1.2 (or newer) or tlsv1.3 [default: tlsv1.2]' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ciphers -d 'The cipher suites by OpenSSL\'s names, with colons between; those of TLS 1.3 stay unless named' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-alpn -d 'The protocols to offer with ALPN, with commas between' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-keylog -d 'Add the connection\'s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l psk -d 'A key that the broker has too, in hexadecimal, instead of certificates. Needs --psk-identity' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l psk-identity -d 'The name of --psk at the broker' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-engine -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-engine-kpass-sha1 -d 'Not supported' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l preset -d 'Connect as this service expects it, and refuse what it does not take: aws (AWS IoT Core), azure-iothub or azure-eventgrid. docs/hosted-brokers.md says what is done' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l device -d 'With azure-iothub: the device, or DEVICE/MODULE; client identifier, user name and topics follow from it' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l sas-key-file -d 'With azure-iothub: a file with the device\'s key or connection string, which signs a password for each connection' -r -F
complete -c mq -n "__fish_mq_using_subcommand doctor" -l sas-lifetime -d 'With --sas-key-file: how long a password is good, after which a hub ends the connection [default: 3600]' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l authorizer -d 'With aws: the custom authorizer that checks user name and password' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s i -l id -d 'The client identifier [default: the broker chooses one]' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s I -l id-prefix -d 'A client identifier made of this and the process\'s number' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s D -l property -d 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s V -l protocol-version -d 'The only version of MQTT to try: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: all three]' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -s x -l session-expiry-interval -d 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l will-topic -d 'The topic of a message that the broker publishes when the client is gone' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l will-payload -d 'The will\'s payload' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l will-qos -d 'The will\'s QoS' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l profile -d 'The profile of ~/.config/mq/config.toml that gives what is not typed, as in --profile home for the table [profile.home]; `mq config --help` tells more [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand doctor" -l json -d 'Print one JSON object'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ask-password -d 'Ask for the password on the terminal'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l allow-control-characters -d 'Send control characters and non-characters in identifiers, user names and properties'
complete -c mq -n "__fish_mq_using_subcommand doctor" -s S -d 'Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l ws -d 'Speak MQTT over WebSocket'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l nodelay -d 'Send small packets at once, which is always done'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l tls-use-os-certs -d 'Speak TLS, and trust whom the operating system trusts, which is the default on port 8883'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l insecure -d 'Skip the check of the host name. Without --cafile, --capath or --tls-use-os-certs, accept any certificate'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l no-tls -d 'Speak no TLS, whatever the port and the other options say'
complete -c mq -n "__fish_mq_using_subcommand doctor" -s d -l debug -d 'Show every packet on standard error'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l quiet -d 'Keep quiet about failures at run time; the exit status still tells'
complete -c mq -n "__fish_mq_using_subcommand doctor" -s c -l disable-clean-session -d 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l will-retain -d 'Let the broker keep the will for later subscribers'
complete -c mq -n "__fish_mq_using_subcommand doctor" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand config; and not __fish_seen_subcommand_from show check path" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand config; and not __fish_seen_subcommand_from show check path" -f -a "show" -d 'Print what counts when nothing is typed, and where each value comes from'
complete -c mq -n "__fish_mq_using_subcommand config; and not __fish_seen_subcommand_from show check path" -f -a "check" -d 'Say all that is wrong in the file and in the variables'
complete -c mq -n "__fish_mq_using_subcommand config; and not __fish_seen_subcommand_from show check path" -f -a "path" -d 'Print where the file is, or would be'
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from show" -l profile -d 'The profile [default: the variable MQ_PROFILE, or default-profile in the file]' -r
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON object'
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from show" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from check" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand config; and __fish_seen_subcommand_from path" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand install-links" -l force -d 'Put the links in the place of files that are there, too'
complete -c mq -n "__fish_mq_using_subcommand install-links" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand completions" -l dir -d 'Write the files for all shells into this directory' -r -f -a "(__fish_complete_directories)"
complete -c mq -n "__fish_mq_using_subcommand completions" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand man" -l dir -d 'Write all pages into this directory' -r -f -a "(__fish_complete_directories)"
complete -c mq -n "__fish_mq_using_subcommand man" -l help -d 'Print help'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "pub" -d 'Publish messages'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "sub" -d 'Subscribe, and print the messages that arrive'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "rr" -d 'Send a request, and print the answer'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "passwd" -d 'Manage users and passwords of brokers'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "broker" -d 'Run a broker for development and tests'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "bench" -d 'Flood a broker with clients, and measure what it does'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "inspect" -d 'Decode captured packets, and say what is wrong with them'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "doctor" -d 'Ask a broker what it is, and try what it allows'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "config" -d 'Tell what profiles and variables say about connections'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "install-links" -d 'Take the place of mosquitto\'s tools: make links with their names'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "completions" -d 'Print what lets a shell complete commands and options'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "man" -d 'Print a page of the manual'
complete -c mq -n "__fish_mq_using_subcommand help; and not __fish_seen_subcommand_from pub sub rr passwd broker bench inspect doctor config install-links completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "verify" -d 'Check a password against the file'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "list" -d 'List the users and the hash schemes of their passwords'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "check" -d 'Report the lines that a broker would not load'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "import" -d 'Add and update the users of a list (CSV)'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "psk" -d 'Generate a key for TLS with pre-shared keys'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from passwd" -f -a "scram" -d 'Generate a user\'s keys for SCRAM, which proves a password without sending it'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "show" -d 'Print what counts when nothing is typed, and where each value comes from'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Say all that is wrong in the file and in the variables'
complete -c mq -n "__fish_mq_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "path" -d 'Print where the file is, or would be'
