
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'mq' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'mq'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'mq' {
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('pub', 'pub', [CompletionResultType]::ParameterValue, 'Publish messages')
            [CompletionResult]::new('sub', 'sub', [CompletionResultType]::ParameterValue, 'Subscribe, and print the messages that arrive')
            [CompletionResult]::new('rr', 'rr', [CompletionResultType]::ParameterValue, 'Send a request, and print the answer')
            [CompletionResult]::new('passwd', 'passwd', [CompletionResultType]::ParameterValue, 'Manage users and passwords of brokers')
            [CompletionResult]::new('broker', 'broker', [CompletionResultType]::ParameterValue, 'Run a broker for development and tests')
            [CompletionResult]::new('bench', 'bench', [CompletionResultType]::ParameterValue, 'Flood a broker with clients, and measure what it does')
            [CompletionResult]::new('install-links', 'install-links', [CompletionResultType]::ParameterValue, 'Take the place of mosquitto''s tools: make links with their names')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print what lets a shell complete commands and options')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a page of the manual')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'mq;pub' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The topic to publish to; with --ndjson, where a line names none')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'The topic to publish to; with --ndjson, where a line names none')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Publish this')
            [CompletionResult]::new('--message', '--message', [CompletionResultType]::ParameterName, 'Publish this')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Publish what is in a file')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Publish what is in a file')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'How hard to try: 0 at most once, 1 at least once, 2 exactly once')
            [CompletionResult]::new('--qos', '--qos', [CompletionResultType]::ParameterName, 'How hard to try: 0 at most once, 1 at least once, 2 exactly once')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'Publish the message this many times')
            [CompletionResult]::new('--repeat-delay', '--repeat-delay', [CompletionResultType]::ParameterName, 'Pause between repetitions, counted from the acknowledgement')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this many seconds, connecting included')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'The broker''s name or address [default: localhost]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The broker''s name or address [default: localhost]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The broker''s port [default: 1883, or 8883 with TLS]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The broker''s port [default: 1883, or 8883 with TLS]')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'The local address to connect from')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The local address to connect from')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long connecting may take, until the broker''s CONNACK')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'The user name [default: that in MQ_USERNAME]')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'The user name [default: that in MQ_USERNAME]')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]')
            [CompletionResult]::new('--pw', '--pw', [CompletionResultType]::ParameterName, 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from the first line of a file; - stands for standard input')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'The longest silence in seconds before a sign of life is sent')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'The longest silence in seconds before a sign of life is sent')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]')
            [CompletionResult]::new('--protocol-version', '--protocol-version', [CompletionResultType]::ParameterName, 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket')
            [CompletionResult]::new('--unix', '--unix', [CompletionResultType]::ParameterName, 'The path of the broker''s unix socket; or -p 0, and the path as -h')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080), or http:// (8080)')
            [CompletionResult]::new('--ws-path', '--ws-path', [CompletionResultType]::ParameterName, 'The WebSocket''s path [default: /mqtt]')
            [CompletionResult]::new('--ws-header', '--ws-header', [CompletionResultType]::ParameterName, 'A header to send with the request for the WebSocket, as in ''Authorization: Bearer TOKEN''. Can be repeated')
            [CompletionResult]::new('--cafile', '--cafile', [CompletionResultType]::ParameterName, 'Speak TLS, and trust the certificates in this file')
            [CompletionResult]::new('--capath', '--capath', [CompletionResultType]::ParameterName, 'Speak TLS, and trust the certificates in the files of this directory')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Our own certificate, followed in the file by those that issued it. Needs --key')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The private key of --cert')
            [CompletionResult]::new('--key-password-file', '--key-password-file', [CompletionResultType]::ParameterName, 'A file with the password of --key [default: the variable MQ_KEY_PASSWORD, or a question on the terminal]')
            [CompletionResult]::new('--keyform', '--keyform', [CompletionResultType]::ParameterName, 'The form of --key: pem')
            [CompletionResult]::new('--tls-hostname', '--tls-hostname', [CompletionResultType]::ParameterName, 'The name that the broker''s certificate must be for [default: the host]')
            [CompletionResult]::new('--tls-version', '--tls-version', [CompletionResultType]::ParameterName, 'The version of TLS: tlsv1.2 (or newer) or tlsv1.3 [default: tlsv1.2]')
            [CompletionResult]::new('--ciphers', '--ciphers', [CompletionResultType]::ParameterName, 'The cipher suites by OpenSSL''s names, with colons between; those of TLS 1.3 stay unless named')
            [CompletionResult]::new('--tls-alpn', '--tls-alpn', [CompletionResultType]::ParameterName, 'The protocols to offer with ALPN, with commas between')
            [CompletionResult]::new('--tls-keylog', '--tls-keylog', [CompletionResultType]::ParameterName, 'Add the connection''s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]')
            [CompletionResult]::new('--psk', '--psk', [CompletionResultType]::ParameterName, 'A key that the broker has too, in hexadecimal, instead of certificates. Needs --psk-identity')
            [CompletionResult]::new('--psk-identity', '--psk-identity', [CompletionResultType]::ParameterName, 'The name of --psk at the broker')
            [CompletionResult]::new('--tls-engine', '--tls-engine', [CompletionResultType]::ParameterName, 'Not supported')
            [CompletionResult]::new('--tls-engine-kpass-sha1', '--tls-engine-kpass-sha1', [CompletionResultType]::ParameterName, 'Not supported')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'The client identifier [default: the broker chooses one]')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'The client identifier [default: the broker chooses one]')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'A client identifier made of this and the process''s number')
            [CompletionResult]::new('--id-prefix', '--id-prefix', [CompletionResultType]::ParameterName, 'A client identifier made of this and the process''s number')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5')
            [CompletionResult]::new('--session-expiry-interval', '--session-expiry-interval', [CompletionResultType]::ParameterName, 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5')
            [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'How often to connect again after a failure, the first time included [default: after a lost connection sub without end, pub -l 15, otherwise 0]')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'The most messages of QoS 1 and 2 to have unacknowledged')
            [CompletionResult]::new('--max-inflight', '--max-inflight', [CompletionResultType]::ParameterName, 'The most messages of QoS 1 and 2 to have unacknowledged')
            [CompletionResult]::new('--will-topic', '--will-topic', [CompletionResultType]::ParameterName, 'The topic of a message that the broker publishes when the client is gone')
            [CompletionResult]::new('--will-payload', '--will-payload', [CompletionResultType]::ParameterName, 'The will''s payload')
            [CompletionResult]::new('--will-qos', '--will-qos', [CompletionResultType]::ParameterName, 'The will''s QoS')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5')
            [CompletionResult]::new('--property', '--property', [CompletionResultType]::ParameterName, 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_pub, if it is there]')
            [CompletionResult]::new('--option-file', '--option-file', [CompletionResultType]::ParameterName, 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_pub, if it is there]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Publish all of standard input as one message')
            [CompletionResult]::new('--stdin-file', '--stdin-file', [CompletionResultType]::ParameterName, 'Publish all of standard input as one message')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Publish an empty message')
            [CompletionResult]::new('--null-message', '--null-message', [CompletionResultType]::ParameterName, 'Publish an empty message')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Publish each line of standard input as a message')
            [CompletionResult]::new('--stdin-line', '--stdin-line', [CompletionResultType]::ParameterName, 'Publish each line of standard input as a message')
            [CompletionResult]::new('--ndjson', '--ndjson', [CompletionResultType]::ParameterName, 'Publish a message for each line of standard input, a JSON object as `mq sub --json` prints it. Chooses MQTT 5')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Let the broker keep the message for later subscribers')
            [CompletionResult]::new('--retain', '--retain', [CompletionResultType]::ParameterName, 'Let the broker keep the message for later subscribers')
            [CompletionResult]::new('--ask-password', '--ask-password', [CompletionResultType]::ParameterName, 'Ask for the password on the terminal')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect')
            [CompletionResult]::new('--ws', '--ws', [CompletionResultType]::ParameterName, 'Speak MQTT over WebSocket')
            [CompletionResult]::new('--nodelay', '--nodelay', [CompletionResultType]::ParameterName, 'Send small packets at once, which is always done')
            [CompletionResult]::new('--tls-use-os-certs', '--tls-use-os-certs', [CompletionResultType]::ParameterName, 'Speak TLS, and trust whom the operating system trusts, which is the default on port 8883')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Take any certificate: whoever sits in between can read and change everything')
            [CompletionResult]::new('--no-tls', '--no-tls', [CompletionResultType]::ParameterName, 'Speak no TLS, whatever the port and the other options say')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i')
            [CompletionResult]::new('--disable-clean-session', '--disable-clean-session', [CompletionResultType]::ParameterName, 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i')
            [CompletionResult]::new('--will-retain', '--will-retain', [CompletionResultType]::ParameterName, 'Let the broker keep the will for later subscribers')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Show every packet on standard error')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every packet on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Keep quiet about failures at run time; the exit status still tells')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;sub' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'A topic filter to subscribe to; + stands for one level, # for all that follow. Can be repeated')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'A topic filter to subscribe to; + stands for one level, # for all that follow. Can be repeated')
            [CompletionResult]::new('--topic-qos', '--topic-qos', [CompletionResultType]::ParameterName, 'A topic filter to subscribe to at a QoS of its own, as in 2:alarms/#. Can be repeated')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'The highest QoS to receive at')
            [CompletionResult]::new('--qos', '--qos', [CompletionResultType]::ParameterName, 'The highest QoS to receive at')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Leave out messages whose topic matches. Can be repeated')
            [CompletionResult]::new('--filter-out', '--filter-out', [CompletionResultType]::ParameterName, 'Leave out messages whose topic matches. Can be repeated')
            [CompletionResult]::new('-U', '-U ', [CompletionResultType]::ParameterName, 'A topic filter to unsubscribe from, in a session that was kept. Can be repeated')
            [CompletionResult]::new('--unsubscribe', '--unsubscribe', [CompletionResultType]::ParameterName, 'A topic filter to unsubscribe from, in a session that was kept. Can be repeated')
            [CompletionResult]::new('--random-filter', '--random-filter', [CompletionResultType]::ParameterName, 'Print only so many of a hundred messages, chosen at random: 0.1 to 100')
            [CompletionResult]::new('--retain-handling', '--retain-handling', [CompletionResultType]::ParameterName, 'Whether kept messages are sent on subscribing: always, new or never (MQTT 5)')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Print each message so: %t topic, %p payload, %x in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %I time, %U Unix time, %j JSON, %J JSON with the payload as JSON; %C %R %D %E %F %S %A %P MQTT 5 properties; @H strftime''s %H')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print each message so: %t topic, %p payload, %x in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %I time, %U Unix time, %j JSON, %J JSON with the payload as JSON; %C %R %D %E %F %S %A %P MQTT 5 properties; @H strftime''s %H')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print payloads raw, without line ends, or as hex or base64, each on a line')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Exit after this many messages')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Exit after this many messages')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'Exit after this many seconds, connecting included')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Exit after this many seconds, connecting included')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'Exit when no message came for this long')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'The broker''s name or address [default: localhost]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The broker''s name or address [default: localhost]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The broker''s port [default: 1883, or 8883 with TLS]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The broker''s port [default: 1883, or 8883 with TLS]')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'The local address to connect from')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The local address to connect from')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long connecting may take, until the broker''s CONNACK')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'The user name [default: that in MQ_USERNAME]')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'The user name [default: that in MQ_USERNAME]')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]')
            [CompletionResult]::new('--pw', '--pw', [CompletionResultType]::ParameterName, 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from the first line of a file; - stands for standard input')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'The longest silence in seconds before a sign of life is sent')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'The longest silence in seconds before a sign of life is sent')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]')
            [CompletionResult]::new('--protocol-version', '--protocol-version', [CompletionResultType]::ParameterName, 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket')
            [CompletionResult]::new('--unix', '--unix', [CompletionResultType]::ParameterName, 'The path of the broker''s unix socket; or -p 0, and the path as -h')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080), or http:// (8080)')
            [CompletionResult]::new('--ws-path', '--ws-path', [CompletionResultType]::ParameterName, 'The WebSocket''s path [default: /mqtt]')
            [CompletionResult]::new('--ws-header', '--ws-header', [CompletionResultType]::ParameterName, 'A header to send with the request for the WebSocket, as in ''Authorization: Bearer TOKEN''. Can be repeated')
            [CompletionResult]::new('--cafile', '--cafile', [CompletionResultType]::ParameterName, 'Speak TLS, and trust the certificates in this file')
            [CompletionResult]::new('--capath', '--capath', [CompletionResultType]::ParameterName, 'Speak TLS, and trust the certificates in the files of this directory')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Our own certificate, followed in the file by those that issued it. Needs --key')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The private key of --cert')
            [CompletionResult]::new('--key-password-file', '--key-password-file', [CompletionResultType]::ParameterName, 'A file with the password of --key [default: the variable MQ_KEY_PASSWORD, or a question on the terminal]')
            [CompletionResult]::new('--keyform', '--keyform', [CompletionResultType]::ParameterName, 'The form of --key: pem')
            [CompletionResult]::new('--tls-hostname', '--tls-hostname', [CompletionResultType]::ParameterName, 'The name that the broker''s certificate must be for [default: the host]')
            [CompletionResult]::new('--tls-version', '--tls-version', [CompletionResultType]::ParameterName, 'The version of TLS: tlsv1.2 (or newer) or tlsv1.3 [default: tlsv1.2]')
            [CompletionResult]::new('--ciphers', '--ciphers', [CompletionResultType]::ParameterName, 'The cipher suites by OpenSSL''s names, with colons between; those of TLS 1.3 stay unless named')
            [CompletionResult]::new('--tls-alpn', '--tls-alpn', [CompletionResultType]::ParameterName, 'The protocols to offer with ALPN, with commas between')
            [CompletionResult]::new('--tls-keylog', '--tls-keylog', [CompletionResultType]::ParameterName, 'Add the connection''s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]')
            [CompletionResult]::new('--psk', '--psk', [CompletionResultType]::ParameterName, 'A key that the broker has too, in hexadecimal, instead of certificates. Needs --psk-identity')
            [CompletionResult]::new('--psk-identity', '--psk-identity', [CompletionResultType]::ParameterName, 'The name of --psk at the broker')
            [CompletionResult]::new('--tls-engine', '--tls-engine', [CompletionResultType]::ParameterName, 'Not supported')
            [CompletionResult]::new('--tls-engine-kpass-sha1', '--tls-engine-kpass-sha1', [CompletionResultType]::ParameterName, 'Not supported')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'The client identifier [default: the broker chooses one]')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'The client identifier [default: the broker chooses one]')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'A client identifier made of this and the process''s number')
            [CompletionResult]::new('--id-prefix', '--id-prefix', [CompletionResultType]::ParameterName, 'A client identifier made of this and the process''s number')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5')
            [CompletionResult]::new('--session-expiry-interval', '--session-expiry-interval', [CompletionResultType]::ParameterName, 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5')
            [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'How often to connect again after a failure, the first time included [default: after a lost connection sub without end, pub -l 15, otherwise 0]')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'The most messages of QoS 1 and 2 to have unacknowledged')
            [CompletionResult]::new('--max-inflight', '--max-inflight', [CompletionResultType]::ParameterName, 'The most messages of QoS 1 and 2 to have unacknowledged')
            [CompletionResult]::new('--will-topic', '--will-topic', [CompletionResultType]::ParameterName, 'The topic of a message that the broker publishes when the client is gone')
            [CompletionResult]::new('--will-payload', '--will-payload', [CompletionResultType]::ParameterName, 'The will''s payload')
            [CompletionResult]::new('--will-qos', '--will-qos', [CompletionResultType]::ParameterName, 'The will''s QoS')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5')
            [CompletionResult]::new('--property', '--property', [CompletionResultType]::ParameterName, 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_sub, if it is there]')
            [CompletionResult]::new('--option-file', '--option-file', [CompletionResultType]::ParameterName, 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_sub, if it is there]')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'Leave out messages that the broker had kept')
            [CompletionResult]::new('--no-retained', '--no-retained', [CompletionResultType]::ParameterName, 'Leave out messages that the broker had kept')
            [CompletionResult]::new('--retained-only', '--retained-only', [CompletionResultType]::ParameterName, 'Print only messages that the broker had kept, and exit when there are no more: at the first other one, or after a second without any')
            [CompletionResult]::new('--no-local', '--no-local', [CompletionResultType]::ParameterName, 'Leave out the messages that this client itself publishes (MQTT 5)')
            [CompletionResult]::new('--remove-retained', '--remove-retained', [CompletionResultType]::ParameterName, 'Delete every kept message that arrives, unless -T leaves its topic out')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'With --remove-retained: only print what would be deleted')
            [CompletionResult]::new('--message-rate', '--message-rate', [CompletionResultType]::ParameterName, 'Print how many messages came in each second, instead of the messages')
            [CompletionResult]::new('--retain-as-published', '--retain-as-published', [CompletionResultType]::ParameterName, 'Let RETAIN stay as it was published (MQTT 5)')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print the topic in front of the payload')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print the topic in front of the payload')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'Print no line end after a message')
            [CompletionResult]::new('--no-newline', '--no-newline', [CompletionResultType]::ParameterName, 'Print no line end after a message')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print each message as a JSON object on a line of its own, whatever it holds; `mq pub --ndjson` reads it')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Lay JSON out over several lines')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Show on the screen the latest message of each topic')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Show on the screen the latest message of each topic')
            [CompletionResult]::new('-E', '-E ', [CompletionResultType]::ParameterName, 'Exit when the subscriptions are made, to set up a session that is kept')
            [CompletionResult]::new('--exit-after-subscribe', '--exit-after-subscribe', [CompletionResultType]::ParameterName, 'Exit when the subscriptions are made, to set up a session that is kept')
            [CompletionResult]::new('--ask-password', '--ask-password', [CompletionResultType]::ParameterName, 'Ask for the password on the terminal')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect')
            [CompletionResult]::new('--ws', '--ws', [CompletionResultType]::ParameterName, 'Speak MQTT over WebSocket')
            [CompletionResult]::new('--nodelay', '--nodelay', [CompletionResultType]::ParameterName, 'Send small packets at once, which is always done')
            [CompletionResult]::new('--tls-use-os-certs', '--tls-use-os-certs', [CompletionResultType]::ParameterName, 'Speak TLS, and trust whom the operating system trusts, which is the default on port 8883')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Take any certificate: whoever sits in between can read and change everything')
            [CompletionResult]::new('--no-tls', '--no-tls', [CompletionResultType]::ParameterName, 'Speak no TLS, whatever the port and the other options say')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i')
            [CompletionResult]::new('--disable-clean-session', '--disable-clean-session', [CompletionResultType]::ParameterName, 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i')
            [CompletionResult]::new('--will-retain', '--will-retain', [CompletionResultType]::ParameterName, 'Let the broker keep the will for later subscribers')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Show every packet on standard error')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every packet on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Keep quiet about failures at run time; the exit status still tells')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;rr' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The topic to send the request to')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'The topic to send the request to')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'The topic that answers come to [default: one that nobody else has]')
            [CompletionResult]::new('--response-topic', '--response-topic', [CompletionResultType]::ParameterName, 'The topic that answers come to [default: one that nobody else has]')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Publish this')
            [CompletionResult]::new('--message', '--message', [CompletionResultType]::ParameterName, 'Publish this')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Publish what is in a file')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Publish what is in a file')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'The QoS of the request and of the answers: 0, 1 or 2')
            [CompletionResult]::new('--qos', '--qos', [CompletionResultType]::ParameterName, 'The QoS of the request and of the answers: 0, 1 or 2')
            [CompletionResult]::new('--retain-handling', '--retain-handling', [CompletionResultType]::ParameterName, 'Whether kept messages are sent on subscribing: always, new or never (MQTT 5)')
            [CompletionResult]::new('-F', '-F ', [CompletionResultType]::ParameterName, 'Print each message so: %t topic, %p payload, %x in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %I time, %U Unix time, %j JSON, %J JSON with the payload as JSON; %C %R %D %E %F %S %A %P MQTT 5 properties; @H strftime''s %H')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print each message so: %t topic, %p payload, %x in hexadecimal, %l its length, %q QoS, %r retain, %m packet id, %I time, %U Unix time, %j JSON, %J JSON with the payload as JSON; %C %R %D %E %F %S %A %P MQTT 5 properties; @H strftime''s %H')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print payloads raw, without line ends, or as hex or base64, each on a line')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Exit after this many answers')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'Exit after this many seconds, connecting included')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Exit after this many seconds, connecting included')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'The broker''s name or address [default: localhost]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The broker''s name or address [default: localhost]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The broker''s port [default: 1883, or 8883 with TLS]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The broker''s port [default: 1883, or 8883 with TLS]')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'The local address to connect from')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The local address to connect from')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long connecting may take, until the broker''s CONNACK')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'The user name [default: that in MQ_USERNAME]')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'The user name [default: that in MQ_USERNAME]')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]')
            [CompletionResult]::new('--pw', '--pw', [CompletionResultType]::ParameterName, 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from the first line of a file; - stands for standard input')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'The longest silence in seconds before a sign of life is sent')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'The longest silence in seconds before a sign of life is sent')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]')
            [CompletionResult]::new('--protocol-version', '--protocol-version', [CompletionResultType]::ParameterName, 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]')
            [CompletionResult]::new('-L', '-L ', [CompletionResultType]::ParameterName, 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'The broker and the topic: SCHEME://USER:PASSWORD@HOST:PORT/TOPIC, with %xx for what has a meaning in it. SCHEME is mqtt (port 1883), mqtts (8883), ws (80), wss (443), or unix with a path; with ws and -t, the path is that of the WebSocket')
            [CompletionResult]::new('--unix', '--unix', [CompletionResultType]::ParameterName, 'The path of the broker''s unix socket; or -p 0, and the path as -h')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Go through a proxy: socks5h://USER:PASSWORD@HOST:PORT, which looks names up, socks5://, which does not (port 1080), or http:// (8080)')
            [CompletionResult]::new('--ws-path', '--ws-path', [CompletionResultType]::ParameterName, 'The WebSocket''s path [default: /mqtt]')
            [CompletionResult]::new('--ws-header', '--ws-header', [CompletionResultType]::ParameterName, 'A header to send with the request for the WebSocket, as in ''Authorization: Bearer TOKEN''. Can be repeated')
            [CompletionResult]::new('--cafile', '--cafile', [CompletionResultType]::ParameterName, 'Speak TLS, and trust the certificates in this file')
            [CompletionResult]::new('--capath', '--capath', [CompletionResultType]::ParameterName, 'Speak TLS, and trust the certificates in the files of this directory')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Our own certificate, followed in the file by those that issued it. Needs --key')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The private key of --cert')
            [CompletionResult]::new('--key-password-file', '--key-password-file', [CompletionResultType]::ParameterName, 'A file with the password of --key [default: the variable MQ_KEY_PASSWORD, or a question on the terminal]')
            [CompletionResult]::new('--keyform', '--keyform', [CompletionResultType]::ParameterName, 'The form of --key: pem')
            [CompletionResult]::new('--tls-hostname', '--tls-hostname', [CompletionResultType]::ParameterName, 'The name that the broker''s certificate must be for [default: the host]')
            [CompletionResult]::new('--tls-version', '--tls-version', [CompletionResultType]::ParameterName, 'The version of TLS: tlsv1.2 (or newer) or tlsv1.3 [default: tlsv1.2]')
            [CompletionResult]::new('--ciphers', '--ciphers', [CompletionResultType]::ParameterName, 'The cipher suites by OpenSSL''s names, with colons between; those of TLS 1.3 stay unless named')
            [CompletionResult]::new('--tls-alpn', '--tls-alpn', [CompletionResultType]::ParameterName, 'The protocols to offer with ALPN, with commas between')
            [CompletionResult]::new('--tls-keylog', '--tls-keylog', [CompletionResultType]::ParameterName, 'Add the connection''s secrets to this file, for Wireshark [default: the variable SSLKEYLOGFILE]')
            [CompletionResult]::new('--psk', '--psk', [CompletionResultType]::ParameterName, 'A key that the broker has too, in hexadecimal, instead of certificates. Needs --psk-identity')
            [CompletionResult]::new('--psk-identity', '--psk-identity', [CompletionResultType]::ParameterName, 'The name of --psk at the broker')
            [CompletionResult]::new('--tls-engine', '--tls-engine', [CompletionResultType]::ParameterName, 'Not supported')
            [CompletionResult]::new('--tls-engine-kpass-sha1', '--tls-engine-kpass-sha1', [CompletionResultType]::ParameterName, 'Not supported')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'The client identifier [default: the broker chooses one]')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'The client identifier [default: the broker chooses one]')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'A client identifier made of this and the process''s number')
            [CompletionResult]::new('--id-prefix', '--id-prefix', [CompletionResultType]::ParameterName, 'A client identifier made of this and the process''s number')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5')
            [CompletionResult]::new('--session-expiry-interval', '--session-expiry-interval', [CompletionResultType]::ParameterName, 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5')
            [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'How often to connect again after a failure, the first time included [default: after a lost connection sub without end, pub -l 15, otherwise 0]')
            [CompletionResult]::new('-M', '-M ', [CompletionResultType]::ParameterName, 'The most messages of QoS 1 and 2 to have unacknowledged')
            [CompletionResult]::new('--max-inflight', '--max-inflight', [CompletionResultType]::ParameterName, 'The most messages of QoS 1 and 2 to have unacknowledged')
            [CompletionResult]::new('--will-topic', '--will-topic', [CompletionResultType]::ParameterName, 'The topic of a message that the broker publishes when the client is gone')
            [CompletionResult]::new('--will-payload', '--will-payload', [CompletionResultType]::ParameterName, 'The will''s payload')
            [CompletionResult]::new('--will-qos', '--will-qos', [CompletionResultType]::ParameterName, 'The will''s QoS')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5')
            [CompletionResult]::new('--property', '--property', [CompletionResultType]::ParameterName, 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_rr, if it is there]')
            [CompletionResult]::new('--option-file', '--option-file', [CompletionResultType]::ParameterName, 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_rr, if it is there]')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Publish all of standard input as one message')
            [CompletionResult]::new('--stdin-file', '--stdin-file', [CompletionResultType]::ParameterName, 'Publish all of standard input as one message')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Publish an empty message')
            [CompletionResult]::new('--null-message', '--null-message', [CompletionResultType]::ParameterName, 'Publish an empty message')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'Leave out an answer that the broker had kept')
            [CompletionResult]::new('--no-retained', '--no-retained', [CompletionResultType]::ParameterName, 'Leave out an answer that the broker had kept')
            [CompletionResult]::new('--retain-as-published', '--retain-as-published', [CompletionResultType]::ParameterName, 'Let RETAIN stay as it was published (MQTT 5)')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print the topic in front of the payload')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print the topic in front of the payload')
            [CompletionResult]::new('-N', '-N ', [CompletionResultType]::ParameterName, 'Print no line end after a message')
            [CompletionResult]::new('--no-newline', '--no-newline', [CompletionResultType]::ParameterName, 'Print no line end after a message')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print each message as a JSON object on a line of its own, whatever it holds; `mq pub --ndjson` reads it')
            [CompletionResult]::new('--pretty', '--pretty', [CompletionResultType]::ParameterName, 'Lay JSON out over several lines')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Show on the screen the latest message of each topic')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Show on the screen the latest message of each topic')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Print how long each answer took')
            [CompletionResult]::new('--ask-password', '--ask-password', [CompletionResultType]::ParameterName, 'Ask for the password on the terminal')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'Ask the SRV records of -h for host and port: those of _mqtt._tcp, or of _secure-mqtt._tcp with TLS. -p has no effect')
            [CompletionResult]::new('--ws', '--ws', [CompletionResultType]::ParameterName, 'Speak MQTT over WebSocket')
            [CompletionResult]::new('--nodelay', '--nodelay', [CompletionResultType]::ParameterName, 'Send small packets at once, which is always done')
            [CompletionResult]::new('--tls-use-os-certs', '--tls-use-os-certs', [CompletionResultType]::ParameterName, 'Speak TLS, and trust whom the operating system trusts, which is the default on port 8883')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Take any certificate: whoever sits in between can read and change everything')
            [CompletionResult]::new('--no-tls', '--no-tls', [CompletionResultType]::ParameterName, 'Speak no TLS, whatever the port and the other options say')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i')
            [CompletionResult]::new('--disable-clean-session', '--disable-clean-session', [CompletionResultType]::ParameterName, 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i')
            [CompletionResult]::new('--will-retain', '--will-retain', [CompletionResultType]::ParameterName, 'Let the broker keep the will for later subscribers')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Show every packet on standard error')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Show every packet on standard error')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Keep quiet about failures at run time; the exit status still tells')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;passwd' {
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from the first line of a file; `-` is standard input')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'How to hash [default: sha512-pbkdf2]')
            [CompletionResult]::new('--hash', '--hash', [CompletionResultType]::ParameterName, 'How to hash [default: sha512-pbkdf2]')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The broker that is to load the file, for which the hash is chosen, and the lines that are there are checked')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'How often sha512-pbkdf2 hashes; more costs guesses and logins more [default: 20000]')
            [CompletionResult]::new('--iterations', '--iterations', [CompletionResultType]::ParameterName, 'How often sha512-pbkdf2 hashes; more costs guesses and logins more [default: 20000]')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'The memory that argon2id needs [default: 47104]')
            [CompletionResult]::new('--passes', '--passes', [CompletionResultType]::ParameterName, 'How often argon2id goes through its memory [default: 1]')
            [CompletionResult]::new('--lanes', '--lanes', [CompletionResultType]::ParameterName, 'Into how many lanes argon2id divides its memory [default: 1]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'The broker that reads the file [default: mosquitto]')
            [CompletionResult]::new('--salt-position', '--salt-position', [CompletionResultType]::ParameterName, 'Where EMQX puts the salt when it hashes with sha256 or sha512 [default: prefix]')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'The role of a new user, for mosquitto-dynsec and hivemq [default: all-topics, where the file has it]')
            [CompletionResult]::new('--vhost', '--vhost', [CompletionResultType]::ParameterName, 'The virtual host in which a new user may do everything, for rabbitmq [default: /]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Make the file; `-` prints the line instead')
            [CompletionResult]::new('--create', '--create', [CompletionResultType]::ParameterName, 'Make the file; `-` prints the line instead')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace a file that is there with a new one, with -c')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Delete the user')
            [CompletionResult]::new('--delete', '--delete', [CompletionResultType]::ParameterName, 'Delete the user')
            [CompletionResult]::new('-U', '-U ', [CompletionResultType]::ParameterName, 'Hash the passwords that stand in the file as plain text, and leave those that are hashed alone')
            [CompletionResult]::new('--hash-plain', '--hash-plain', [CompletionResultType]::ParameterName, 'Hash the passwords that stand in the file as plain text, and leave those that are hashed alone')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Take the password from the command line, where every user of the machine can see it; `--` goes in front of FILE where it begins with a dash')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Take the password from the command line, where every user of the machine can see it; `--` goes in front of FILE where it begins with a dash')
            [CompletionResult]::new('--superuser', '--superuser', [CompletionResultType]::ParameterName, 'Make a new user a superuser, for emqx-json and emqx-csv')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check a password against the file')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Print the users and how their passwords are hashed')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Tell which lines a broker would not load')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Add and change the users of a list (CSV)')
            [CompletionResult]::new('psk', 'psk', [CompletionResultType]::ParameterValue, 'Make a key for TLS with pre-shared keys')
            break
        }
        'mq;passwd;verify' {
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from the first line of a file; `-` is standard input')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'The broker that reads the file [default: mosquitto]')
            [CompletionResult]::new('--salt-position', '--salt-position', [CompletionResultType]::ParameterName, 'Where EMQX puts the salt when it hashes with sha256 or sha512 [default: prefix]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'How EMQX hashes [default: sha256]')
            [CompletionResult]::new('--hash', '--hash', [CompletionResultType]::ParameterName, 'How EMQX hashes [default: sha256]')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'How often EMQX hashes with sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]')
            [CompletionResult]::new('--iterations', '--iterations', [CompletionResultType]::ParameterName, 'How often EMQX hashes with sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;passwd;list' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'The broker that reads the file [default: mosquitto]')
            [CompletionResult]::new('--salt-position', '--salt-position', [CompletionResultType]::ParameterName, 'Where EMQX puts the salt when it hashes with sha256 or sha512 [default: prefix]')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'How EMQX hashes [default: sha256]')
            [CompletionResult]::new('--hash', '--hash', [CompletionResultType]::ParameterName, 'How EMQX hashes [default: sha256]')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'How often EMQX hashes with sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]')
            [CompletionResult]::new('--iterations', '--iterations', [CompletionResultType]::ParameterName, 'How often EMQX hashes with sha256-pbkdf2 or sha512-pbkdf2 [default: 20000]')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;passwd;check' {
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The broker that is to load the file')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;passwd;import' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'How to hash [default: sha512-pbkdf2]')
            [CompletionResult]::new('--hash', '--hash', [CompletionResultType]::ParameterName, 'How to hash [default: sha512-pbkdf2]')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'The broker that is to load the file, for which the hash is chosen, and the lines that are there are checked')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'How often sha512-pbkdf2 hashes; more costs guesses and logins more [default: 20000]')
            [CompletionResult]::new('--iterations', '--iterations', [CompletionResultType]::ParameterName, 'How often sha512-pbkdf2 hashes; more costs guesses and logins more [default: 20000]')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'The memory that argon2id needs [default: 47104]')
            [CompletionResult]::new('--passes', '--passes', [CompletionResultType]::ParameterName, 'How often argon2id goes through its memory [default: 1]')
            [CompletionResult]::new('--lanes', '--lanes', [CompletionResultType]::ParameterName, 'Into how many lanes argon2id divides its memory [default: 1]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'The broker that reads the file [default: mosquitto]')
            [CompletionResult]::new('--salt-position', '--salt-position', [CompletionResultType]::ParameterName, 'Where EMQX puts the salt when it hashes with sha256 or sha512 [default: prefix]')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'The role of a new user, for mosquitto-dynsec and hivemq [default: all-topics, where the file has it]')
            [CompletionResult]::new('--vhost', '--vhost', [CompletionResultType]::ParameterName, 'The virtual host in which a new user may do everything, for rabbitmq [default: /]')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Make the file')
            [CompletionResult]::new('--create', '--create', [CompletionResultType]::ParameterName, 'Make the file')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace a file that is there with a new one, with -c')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'The first row is a user, whatever it says')
            [CompletionResult]::new('--keep-going', '--keep-going', [CompletionResultType]::ParameterName, 'Leave bad rows out, and import the others')
            [CompletionResult]::new('--superuser', '--superuser', [CompletionResultType]::ParameterName, 'Make a new user a superuser, for emqx-json and emqx-csv')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;passwd;psk' {
            [CompletionResult]::new('--bytes', '--bytes', [CompletionResultType]::ParameterName, 'The length of the key in bytes, 16 to 256')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Make the file')
            [CompletionResult]::new('--create', '--create', [CompletionResultType]::ParameterName, 'Make the file')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace a file that is there with a new one, with -c')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'Delete the identity')
            [CompletionResult]::new('--delete', '--delete', [CompletionResultType]::ParameterName, 'Delete the identity')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Print the key')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;broker' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The port to listen on; 0 picks a free one [default: 1883, or none with --unix]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port to listen on; 0 picks a free one [default: 1883, or none with --unix]')
            [CompletionResult]::new('--ws-port', '--ws-port', [CompletionResultType]::ParameterName, 'A port to listen on for MQTT over WebSocket, at any path; 0 picks a free one')
            [CompletionResult]::new('--unix', '--unix', [CompletionResultType]::ParameterName, 'A unix socket to listen on; who may write to it may connect. One that a killed broker left is replaced')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Let in only the users in this file, which is mosquitto''s password file; SIGHUP has it read again')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The address to listen on')
            [CompletionResult]::new('--allow-anonymous', '--allow-anonymous', [CompletionResultType]::ParameterName, 'Let in clients without a user name as well')
            [CompletionResult]::new('--stop-with-stdin', '--stop-with-stdin', [CompletionResultType]::ParameterName, 'Stop when standard input ends, as it does when the program that started the broker is gone')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell of every client that comes and goes, on standard error')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell of every client that comes and goes, on standard error')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;bench' {
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'How many clients publish')
            [CompletionResult]::new('--clients', '--clients', [CompletionResultType]::ParameterName, 'How many clients publish')
            [CompletionResult]::new('--subscribers', '--subscribers', [CompletionResultType]::ParameterName, 'How many clients subscribe, besides those that publish; 0 for none [default: as many, or 100, or one for every ten]')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'The QoS of publishing and subscribing: 0, 1 or 2')
            [CompletionResult]::new('--qos', '--qos', [CompletionResultType]::ParameterName, 'The QoS of publishing and subscribing: 0, 1 or 2')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'The payload''s bytes; 24 or more with subscribers')
            [CompletionResult]::new('--size', '--size', [CompletionResultType]::ParameterName, 'The payload''s bytes; 24 or more with subscribers')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'The topics: {run} stands for the run, {i} for the publisher''s number, {s} for that of its subscriber')
            [CompletionResult]::new('--topic', '--topic', [CompletionResultType]::ParameterName, 'The topics: {run} stands for the run, {i} for the publisher''s number, {s} for that of its subscriber')
            [CompletionResult]::new('--messages', '--messages', [CompletionResultType]::ParameterName, 'How many messages all publishers send together [default: 1000 each, from 10000 to 100000, and at least 10 each]')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'How long they send')
            [CompletionResult]::new('--inflight', '--inflight', [CompletionResultType]::ParameterName, 'How many messages of QoS 1 and 2 each publisher keeps unacknowledged')
            [CompletionResult]::new('--connect-rate', '--connect-rate', [CompletionResultType]::ParameterName, 'How many clients begin to connect in a second [default: as many as the broker takes]')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'How many threads the clients share [default: one for each processor]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait while nothing moves: connections, acknowledgements, or messages on their way')
            [CompletionResult]::new('-I', '-I ', [CompletionResultType]::ParameterName, 'What client identifiers start with')
            [CompletionResult]::new('--id-prefix', '--id-prefix', [CompletionResultType]::ParameterName, 'What client identifiers start with')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'The broker''s name or address [default: localhost]')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The broker''s name or address [default: localhost]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The broker''s port [default: 1883, or 8883 with TLS]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The broker''s port [default: 1883, or 8883 with TLS]')
            [CompletionResult]::new('-A', '-A ', [CompletionResultType]::ParameterName, 'The local address to connect from')
            [CompletionResult]::new('--bind', '--bind', [CompletionResultType]::ParameterName, 'The local address to connect from')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long connecting may take, until the broker''s CONNACK')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'The user name [default: that in MQ_USERNAME]')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'The user name [default: that in MQ_USERNAME]')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]')
            [CompletionResult]::new('--pw', '--pw', [CompletionResultType]::ParameterName, 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from the first line of a file; - stands for standard input')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'The longest silence in seconds before a sign of life is sent')
            [CompletionResult]::new('--keepalive', '--keepalive', [CompletionResultType]::ParameterName, 'The longest silence in seconds before a sign of life is sent')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]')
            [CompletionResult]::new('--protocol-version', '--protocol-version', [CompletionResultType]::ParameterName, 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Read options from a file, one on each line with its value behind it; what is typed wins over it')
            [CompletionResult]::new('--option-file', '--option-file', [CompletionResultType]::ParameterName, 'Read options from a file, one on each line with its value behind it; what is typed wins over it')
            [CompletionResult]::new('--embedded', '--embedded', [CompletionResultType]::ParameterName, 'Measure against a broker of our own, started for this run in a process of its own')
            [CompletionResult]::new('--ask-password', '--ask-password', [CompletionResultType]::ParameterName, 'Ask for the password on the terminal')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Keep quiet about failures at run time; the report and the exit status still tell')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;install-links' {
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Put the links in the place of files that are there, too')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;completions' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Write the files for all shells into this directory')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;man' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Write all pages into this directory')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'mq;help' {
            [CompletionResult]::new('pub', 'pub', [CompletionResultType]::ParameterValue, 'Publish messages')
            [CompletionResult]::new('sub', 'sub', [CompletionResultType]::ParameterValue, 'Subscribe, and print the messages that arrive')
            [CompletionResult]::new('rr', 'rr', [CompletionResultType]::ParameterValue, 'Send a request, and print the answer')
            [CompletionResult]::new('passwd', 'passwd', [CompletionResultType]::ParameterValue, 'Manage users and passwords of brokers')
            [CompletionResult]::new('broker', 'broker', [CompletionResultType]::ParameterValue, 'Run a broker for development and tests')
            [CompletionResult]::new('bench', 'bench', [CompletionResultType]::ParameterValue, 'Flood a broker with clients, and measure what it does')
            [CompletionResult]::new('install-links', 'install-links', [CompletionResultType]::ParameterValue, 'Take the place of mosquitto''s tools: make links with their names')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print what lets a shell complete commands and options')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a page of the manual')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'mq;help;pub' {
            break
        }
        'mq;help;sub' {
            break
        }
        'mq;help;rr' {
            break
        }
        'mq;help;passwd' {
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check a password against the file')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Print the users and how their passwords are hashed')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Tell which lines a broker would not load')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Add and change the users of a list (CSV)')
            [CompletionResult]::new('psk', 'psk', [CompletionResultType]::ParameterValue, 'Make a key for TLS with pre-shared keys')
            break
        }
        'mq;help;passwd;verify' {
            break
        }
        'mq;help;passwd;list' {
            break
        }
        'mq;help;passwd;check' {
            break
        }
        'mq;help;passwd;import' {
            break
        }
        'mq;help;passwd;psk' {
            break
        }
        'mq;help;broker' {
            break
        }
        'mq;help;bench' {
            break
        }
        'mq;help;install-links' {
            break
        }
        'mq;help;completions' {
            break
        }
        'mq;help;man' {
            break
        }
        'mq;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
