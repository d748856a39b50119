// SPDX-License-Identifier: Apache-2.0
//
// simulator.cpp - the Verilated pasa_axi behind the protocol of pasa_simulator.h

#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus.h"

namespace {

// Two file descriptors, or one socket twice.
struct Channel {
    int in, out;

    bool read_all(void* to, size_t count) const {
        for (auto* at = static_cast<uint8_t*>(to); count != 0;) {
            ssize_t got = ::read(in, at, count);
            if (got <= 0) return false;
            at += got;
            count -= static_cast<size_t>(got);
        }
        return true;
    }
    bool write_all(const void* from, size_t count) const {
        for (auto* at = static_cast<const uint8_t*>(from); count != 0;) {
            ssize_t put = ::write(out, at, count);
            if (put <= 0) return false;
            at += put;
            count -= static_cast<size_t>(put);
        }
        return true;
    }
};

struct Answer {
    uint32_t result = PASA_SIM_OKAY, value = 0;
    Bytes payload;
};

constexpr unsigned STREAMS = 3, STALL_MAX = 95, RESET_CLOCKS_MIN = 16;

uint32_t in_time(bool done) { return done ? PASA_SIM_OKAY : PASA_SIM_TIMEOUT; }

Answer receive(Bus& bus, uint64_t clocks) {
    if (!bus.sink().any()) return {PASA_SIM_REFUSED};
    if (!bus.run(clocks, [&] { return bus.sink().done(); })) return {PASA_SIM_TIMEOUT};
    Sink::Buffer buffer = bus.sink().take();
    uint32_t result = buffer.overrun ? PASA_SIM_OVERRUN : PASA_SIM_OKAY;
    return {result, static_cast<uint32_t>(buffer.bytes.size()), std::move(buffer.bytes)};
}

Answer send(Bus& bus, const pasa_sim_request& request, Bytes payload) {
    if (request.argument >= STREAMS || payload.empty()) return {PASA_SIM_REFUSED};
    bool last = !(request.flags & PASA_SIM_NO_LAST);
    bus.source(request.argument).queue({std::move(payload), last});
    return {};
}

Answer sent(Bus& bus, const pasa_sim_request& request) {
    if (request.argument >= STREAMS) return {PASA_SIM_REFUSED};
    Source& source = bus.source(request.argument);
    return {in_time(bus.run(request.clocks, [&] { return source.idle(); }))};
}

Answer stall(Bus& bus, const pasa_sim_request& request) {
    if (request.value > STALL_MAX) return {PASA_SIM_REFUSED};
    bus.pauses().set(request.value, request.argument);
    return {};
}

Answer serve(Bus& bus, const pasa_sim_request& request, Bytes payload) {
    switch (request.operation) {
    case PASA_SIM_HELLO: return {PASA_SIM_OKAY, PASA_SIM_VERSION};
    case PASA_SIM_READ: {
        Access access = bus.read(request.argument);
        return {access.result, access.value};
    }
    case PASA_SIM_WRITE:
        return {bus.write(request.argument, request.value, request.flags).result};
    case PASA_SIM_SEND: return send(bus, request, std::move(payload));
    case PASA_SIM_SENT: return sent(bus, request);
    case PASA_SIM_EXPECT: bus.sink().expect(request.value); return {};
    case PASA_SIM_RECEIVE: return receive(bus, request.clocks);
    case PASA_SIM_INTERRUPT:
        return {in_time(bus.run(request.clocks, [&] { return bus.interrupt(); }))};
    case PASA_SIM_RUN: bus.run(request.clocks, [] { return false; }); return {};
    case PASA_SIM_RESET:
        bus.reset(std::max<uint64_t>(request.clocks, RESET_CLOCKS_MIN));
        return {};
    case PASA_SIM_ABORT: bus.abort(); return {};
    case PASA_SIM_STALL: return stall(bus, request);
    case PASA_SIM_QUIT: return {};
    default: return {PASA_SIM_REFUSED};
    }
}

// Serve until the client quits or hangs up.
void serve_all(Bus& bus, const Channel& channel) {
    pasa_sim_request request;
    while (channel.read_all(&request, sizeof request)) {
        if (request.length > PASA_SIM_PAYLOAD_MAX) return;
        Bytes payload(request.length);
        if (!channel.read_all(payload.data(), payload.size())) return;
        Answer answer = serve(bus, request, std::move(payload));
        pasa_sim_reply reply{answer.result, answer.value,
            static_cast<uint32_t>(answer.payload.size()), bus.interrupt(), bus.clock(), 0};
        if (!channel.write_all(&reply, sizeof reply)) return;
        if (!channel.write_all(answer.payload.data(), answer.payload.size())) return;
        if (request.operation == PASA_SIM_QUIT) return;
    }
}

[[noreturn]] void fail(const std::string& what) {
    std::perror(("pasa_simulator: " + what).c_str());
    std::exit(1);
}

// One client of a socket made at `path`, which is gone when this returns.
Channel accept_at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string hidden = path + "~";  // gets its name once a client can connect
    if (hidden.size() >= sizeof address.sun_path) {
        std::fprintf(stderr, "pasa_simulator: --socket: path of more than %zu characters\n",
            sizeof address.sun_path - 2);
        std::exit(2);
    }
    std::strcpy(address.sun_path, hidden.c_str());
    int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener < 0 || ::bind(listener, generic, sizeof address) < 0) fail(hidden);
    if (::listen(listener, 1) < 0 || ::rename(hidden.c_str(), path.c_str()) < 0) fail(path);
    int client = ::accept(listener, nullptr, nullptr);
    if (client < 0) fail(path);
    ::unlink(path.c_str());
    ::close(listener);
    return {client, client};
}

// Standard input and output; what the design prints goes to standard error.
Channel standard_channel() {
    int out = ::dup(STDOUT_FILENO);
    if (out < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) fail("standard output");
    return {STDIN_FILENO, out};
}

}  // namespace

int main(int argc, char** argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    const char* path = nullptr;
    for (int i = 1; i < argc; ++i) {
        std::string argument = argv[i];
        if (argument == "--socket" && i + 1 < argc) {
            path = argv[++i];
        } else if (argument[0] != '+') {
            std::fprintf(stderr, "usage: pasa_simulator [--socket PATH] [+verilator+seed+N]\n");
            return 2;
        }
    }
    Channel channel = path ? accept_at(path) : standard_channel();
    Bus bus(&context);
    serve_all(bus, channel);
    return 0;
}
