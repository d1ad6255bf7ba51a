
use builtin;
use str;

set edit:completion:arg-completer[mq] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'mq'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'mq'= {
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand pub 'Publish messages'
            cand sub 'Subscribe, and print the messages that arrive'
            cand broker 'Run a broker for development and tests'
            cand bench 'Flood a broker with clients, and measure what it does'
            cand install-links 'Take the place of mosquitto''s tools: make links with their names'
            cand completions 'Print what lets a shell complete commands and options'
            cand man 'Print a page of the manual'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'mq;pub'= {
            cand -t 'The topic to publish to'
            cand --topic 'The topic to publish to'
            cand -m 'Publish this'
            cand --message 'Publish this'
            cand -f 'Publish what is in a file'
            cand --file 'Publish what is in a file'
            cand -q 'How hard to try: 0 at most once, 1 at least once, 2 exactly once'
            cand --qos 'How hard to try: 0 at most once, 1 at least once, 2 exactly once'
            cand --repeat 'Publish the message this many times'
            cand --repeat-delay 'Pause between repetitions, counted from the acknowledgement'
            cand -h 'The broker''s name or address'
            cand --host 'The broker''s name or address'
            cand -p 'The broker''s port'
            cand --port 'The broker''s port'
            cand -A 'The local address to connect from'
            cand --bind 'The local address to connect from'
            cand --connect-timeout 'How long connecting may take, until the broker''s CONNACK'
            cand -u 'The user name [default: that in MQ_USERNAME]'
            cand --username 'The user name [default: that in MQ_USERNAME]'
            cand -P 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]'
            cand --pw 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]'
            cand --password-file 'Read the password from the first line of a file; - stands for standard input'
            cand -k 'The longest silence in seconds before a sign of life is sent'
            cand --keepalive 'The longest silence in seconds before a sign of life is sent'
            cand -V 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]'
            cand --protocol-version 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]'
            cand -i 'The client identifier [default: the broker chooses one]'
            cand --id 'The client identifier [default: the broker chooses one]'
            cand -I 'A client identifier made of this and the process''s number'
            cand --id-prefix 'A client identifier made of this and the process''s number'
            cand -x 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5'
            cand --session-expiry-interval 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5'
            cand -M 'The most messages of QoS 1 and 2 to have unacknowledged'
            cand --max-inflight 'The most messages of QoS 1 and 2 to have unacknowledged'
            cand --will-topic 'The topic of a message that the broker publishes when the client is gone'
            cand --will-payload 'The will''s payload'
            cand --will-qos 'The will''s QoS'
            cand -D 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5'
            cand --property 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5'
            cand -o 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_pub, if it is there]'
            cand --option-file 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_pub, if it is there]'
            cand -s 'Publish all of standard input as one message'
            cand --stdin-file 'Publish all of standard input as one message'
            cand -l 'Publish each line of standard input as a message'
            cand --stdin-line 'Publish each line of standard input as a message'
            cand -n 'Publish an empty message'
            cand --null-message 'Publish an empty message'
            cand -r 'Let the broker keep the message for later subscribers'
            cand --retain 'Let the broker keep the message for later subscribers'
            cand --ask-password 'Ask for the password on the terminal'
            cand -c 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
            cand --disable-clean-session 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
            cand --will-retain 'Let the broker keep the will for later subscribers'
            cand -d 'Show every packet on standard error'
            cand --debug 'Show every packet on standard error'
            cand --quiet 'Keep quiet about failures at run time; the exit status still tells'
            cand --help 'Print help'
        }
        &'mq;sub'= {
            cand -t 'A topic filter to subscribe to; + stands for one level, # for all that follow. Can be repeated'
            cand --topic 'A topic filter to subscribe to; + stands for one level, # for all that follow. Can be repeated'
            cand -q 'The highest QoS to receive at'
            cand --qos 'The highest QoS to receive at'
            cand -T 'Leave out messages whose topic matches. Can be repeated'
            cand --filter-out 'Leave out messages whose topic matches. Can be repeated'
            cand -U 'A topic filter to unsubscribe from, in a session that was kept. Can be repeated'
            cand --unsubscribe 'A topic filter to unsubscribe from, in a session that was kept. Can be repeated'
            cand --retain-handling 'Whether kept messages are sent on subscribing: always, new or never (MQTT 5)'
            cand -C 'Exit after this many messages'
            cand --count 'Exit after this many messages'
            cand -W 'Exit after this many seconds, connecting included'
            cand --timeout 'Exit after this many seconds, connecting included'
            cand -h 'The broker''s name or address'
            cand --host 'The broker''s name or address'
            cand -p 'The broker''s port'
            cand --port 'The broker''s port'
            cand -A 'The local address to connect from'
            cand --bind 'The local address to connect from'
            cand --connect-timeout 'How long connecting may take, until the broker''s CONNACK'
            cand -u 'The user name [default: that in MQ_USERNAME]'
            cand --username 'The user name [default: that in MQ_USERNAME]'
            cand -P 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]'
            cand --pw 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]'
            cand --password-file 'Read the password from the first line of a file; - stands for standard input'
            cand -k 'The longest silence in seconds before a sign of life is sent'
            cand --keepalive 'The longest silence in seconds before a sign of life is sent'
            cand -V 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]'
            cand --protocol-version 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]'
            cand -i 'The client identifier [default: the broker chooses one]'
            cand --id 'The client identifier [default: the broker chooses one]'
            cand -I 'A client identifier made of this and the process''s number'
            cand --id-prefix 'A client identifier made of this and the process''s number'
            cand -x 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5'
            cand --session-expiry-interval 'How long the broker keeps the session, in seconds; -1 for ever. Chooses MQTT 5'
            cand -M 'The most messages of QoS 1 and 2 to have unacknowledged'
            cand --max-inflight 'The most messages of QoS 1 and 2 to have unacknowledged'
            cand --will-topic 'The topic of a message that the broker publishes when the client is gone'
            cand --will-payload 'The will''s payload'
            cand --will-qos 'The will''s QoS'
            cand -D 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5'
            cand --property 'Add a property to a packet: `-D publish content-type text/plain`. PACKET is connect, publish, subscribe, unsubscribe, disconnect or will; a user-property takes a key and a value. Chooses MQTT 5'
            cand -o 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_sub, if it is there]'
            cand --option-file 'Read options from a file, one on each line with its value behind it; what is typed wins over it [default: ~/.config/mosquitto_sub, if it is there]'
            cand -R 'Leave out messages that the broker had kept'
            cand --no-retained 'Leave out messages that the broker had kept'
            cand --retained-only 'Print only messages that the broker had kept, and exit at the first other one'
            cand --retain-as-published 'Let RETAIN stay as it was published (MQTT 5)'
            cand -v 'Print the topic in front of the payload'
            cand --verbose 'Print the topic in front of the payload'
            cand -N 'Print no line end after a message'
            cand --no-newline 'Print no line end after a message'
            cand -E 'Exit when the subscriptions are made, to set up a session that is kept'
            cand --exit-after-subscribe 'Exit when the subscriptions are made, to set up a session that is kept'
            cand --ask-password 'Ask for the password on the terminal'
            cand -c 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
            cand --disable-clean-session 'Keep the session: what arrives while the client is away is delivered when it is back. Needs -i'
            cand --will-retain 'Let the broker keep the will for later subscribers'
            cand -d 'Show every packet on standard error'
            cand --debug 'Show every packet on standard error'
            cand --quiet 'Keep quiet about failures at run time; the exit status still tells'
            cand --help 'Print help'
        }
        &'mq;broker'= {
            cand -p 'The port to listen on; 0 picks a free one'
            cand --port 'The port to listen on; 0 picks a free one'
            cand --bind 'The address to listen on'
            cand --stop-with-stdin 'Stop when standard input ends, as it does when the program that started the broker is gone'
            cand -v 'Tell of every client that comes and goes, on standard error'
            cand --verbose 'Tell of every client that comes and goes, on standard error'
            cand --help 'Print help'
        }
        &'mq;bench'= {
            cand -c 'How many clients publish'
            cand --clients 'How many clients publish'
            cand --subscribers 'How many clients subscribe, besides those that publish; 0 for none [default: as many, or 100, or one for every ten]'
            cand -q 'The QoS of publishing and subscribing: 0, 1 or 2'
            cand --qos 'The QoS of publishing and subscribing: 0, 1 or 2'
            cand -s 'The payload''s bytes; 24 or more with subscribers'
            cand --size 'The payload''s bytes; 24 or more with subscribers'
            cand -t 'The topics: {run} stands for the run, {i} for the publisher''s number, {s} for that of its subscriber'
            cand --topic 'The topics: {run} stands for the run, {i} for the publisher''s number, {s} for that of its subscriber'
            cand --messages 'How many messages all publishers send together [default: 1000 each, from 10000 to 100000, and at least 10 each]'
            cand --duration 'How long they send'
            cand --inflight 'How many messages of QoS 1 and 2 each publisher keeps unacknowledged'
            cand --connect-rate 'How many clients begin to connect in a second [default: as many as the broker takes]'
            cand --threads 'How many threads the clients share [default: one for each processor]'
            cand --timeout 'How long to wait while nothing moves: connections, acknowledgements, or messages on their way'
            cand -I 'What client identifiers start with'
            cand --id-prefix 'What client identifiers start with'
            cand -h 'The broker''s name or address'
            cand --host 'The broker''s name or address'
            cand -p 'The broker''s port'
            cand --port 'The broker''s port'
            cand -A 'The local address to connect from'
            cand --bind 'The local address to connect from'
            cand --connect-timeout 'How long connecting may take, until the broker''s CONNACK'
            cand -u 'The user name [default: that in MQ_USERNAME]'
            cand --username 'The user name [default: that in MQ_USERNAME]'
            cand -P 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]'
            cand --pw 'The password, for all users of this machine to see in the list of processes [default: that in MQ_PASSWORD]'
            cand --password-file 'Read the password from the first line of a file; - stands for standard input'
            cand -k 'The longest silence in seconds before a sign of life is sent'
            cand --keepalive 'The longest silence in seconds before a sign of life is sent'
            cand -V 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]'
            cand --protocol-version 'The version of MQTT: 31, 311 or 5 (or mqttv31, mqttv311, mqttv5) [default: 311]'
            cand -o 'Read options from a file, one on each line with its value behind it; what is typed wins over it'
            cand --option-file 'Read options from a file, one on each line with its value behind it; what is typed wins over it'
            cand --embedded 'Measure against a broker of our own, started for this run in a process of its own'
            cand --ask-password 'Ask for the password on the terminal'
            cand --quiet 'Keep quiet about failures at run time; the report and the exit status still tell'
            cand --help 'Print help'
        }
        &'mq;install-links'= {
            cand --force 'Put the links in the place of files that are there, too'
            cand --help 'Print help'
        }
        &'mq;completions'= {
            cand --dir 'Write the files for all shells into this directory'
            cand --help 'Print help'
        }
        &'mq;man'= {
            cand --dir 'Write all pages into this directory'
            cand --help 'Print help'
        }
        &'mq;help'= {
            cand pub 'Publish messages'
            cand sub 'Subscribe, and print the messages that arrive'
            cand broker 'Run a broker for development and tests'
            cand bench 'Flood a broker with clients, and measure what it does'
            cand install-links 'Take the place of mosquitto''s tools: make links with their names'
            cand completions 'Print what lets a shell complete commands and options'
            cand man 'Print a page of the manual'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'mq;help;pub'= {
        }
        &'mq;help;sub'= {
        }
        &'mq;help;broker'= {
        }
        &'mq;help;bench'= {
        }
        &'mq;help;install-links'= {
        }
        &'mq;help;completions'= {
        }
        &'mq;help;man'= {
        }
        &'mq;help;help'= {
        }
    ]
    $completions[$command]
}
