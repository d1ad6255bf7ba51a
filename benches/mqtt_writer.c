// The least that connections to a broker cost: writes the same PUBLISH packets of QoS 0 in turn over some connections, and prints the
// CPU time of a message in microseconds.
//
//   mqtt_writer PORT CONNECTIONS MESSAGES PAYLOAD_SIZE MESSAGES_PER_WRITE RATE
//
// RATE is in messages a second; 0 is as fast as the broker reads.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void write_all(int socket, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = send(socket, bytes, length, 0);
        if (written < 0) fail("send");
        bytes += written;
        length -= (size_t)written;
    }
}

static int connect_to(int port, int number) {
    int opened = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (opened < 0 || connect(opened, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(opened, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    char packet[64] = "\x10\x16\0\4MQTT\4\2\0\0\0\012w", connack[4];
    snprintf(packet + 15, 10, "%09u", (unsigned)number % 1000000000u);
    write_all(opened, packet, 24);
    if (recv(opened, connack, 4, MSG_WAITALL) != 4 || connack[3] != 0) fail("CONNACK");
    return opened;
}

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **words) {
    if (count != 7) return 2;
    int port = atoi(words[1]), connections = atoi(words[2]), messages = atoi(words[3]);
    int size = atoi(words[4]), batch = atoi(words[5]), rate = atoi(words[6]);
    int *sockets = calloc((size_t)connections, sizeof *sockets);
    for (int number = 0; number < connections; number++) sockets[number] = connect_to(port, number);
    // PUBLISH with the topic mq/test.
    int rest = 9 + size, head = rest < 128 ? 2 : 3, packet = head + rest;
    char *packets = calloc((size_t)batch, (size_t)packet);
    for (int number = 0; number < batch; number++) {
        char *at = packets + number * packet;
        *at++ = 0x30;
        if (head == 3) *at++ = (char)(rest % 128 | 128);
        *at++ = (char)(head == 3 ? rest / 128 : rest);
        memcpy(at, "\0\7mq/test", 9);
        memset(at + 9, 'x', (size_t)size);
    }
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), start = seconds(CLOCK_MONOTONIC);
    for (int sent = 0, writes = 0; sent < messages; writes++) {
        write_all(sockets[writes % connections], packets, (size_t)(batch * packet));
        sent += batch;
        double wait = rate > 0 ? start + (double)sent / rate - seconds(CLOCK_MONOTONIC) : 0;
        struct timespec time = { .tv_nsec = (long)(wait * 1e9) };
        if (wait > 0) nanosleep(&time, NULL);
    }
    printf("%.3f\n", (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / messages);
    return 0;
}
