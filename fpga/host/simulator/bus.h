// SPDX-License-Identifier: Apache-2.0
//
// bus.h - the pins of the Verilated pasa_axi, a clock at a time: AXI4-Lite master, stream engines

#ifndef PASA_SIMULATOR_BUS_H
#define PASA_SIMULATOR_BUS_H

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vpasa_axi.h"
#include "pasa_simulator.h"
#include "verilated.h"

using Bytes = std::vector<uint8_t>;

// Pauses of one side of the handshakes: the same numbers for the same seed.
class Pauses {
public:
    void set(unsigned percent, uint32_t seed) {
        percent_ = percent;
        state_ = seed * 2654435761u + 1u;
    }
    bool pause() { return percent_ != 0 && draw() % 100 < percent_; }

private:
    uint32_t draw() {  // a linear congruential generator; its upper half is random enough
        state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
        return static_cast<uint32_t>(state_ >> 33);
    }
    unsigned percent_ = 0;
    uint64_t state_ = 1;
};

// A stream port is 32 or 64 bits in an integer, or 128 in four words.
template <typename Port>
void put_beat(Port& port, const uint8_t* bytes, size_t count) {
    std::memset(&port, 0, sizeof port);
    std::memcpy(&port, bytes, count);
}

struct Packet {
    Bytes bytes;
    bool last;  // whether TLAST is raised at its end
};

// Packets on their way to one AXI4-Stream input.
class Source {
public:
    void queue(Packet packet) { packets_.push_back(std::move(packet)); }
    void abort() { packets_.clear(); at_ = 0; shown_ = false; }
    bool idle() const { return packets_.empty(); }

    // After an edge: take the result of the handshake, then show the next beat, perhaps after a
    // pause. A beat once shown stays.
    template <typename Data, typename Keep>
    void step(bool fire, Pauses& pauses, Data& data, Keep& keep, CData& valid, CData& last) {
        if (fire) advance(sizeof data);
        if (!shown_ && !packets_.empty()) shown_ = !pauses.pause();
        valid = shown_;
        if (!shown_) return;
        const Packet& packet = packets_.front();
        size_t count = std::min(sizeof data, packet.bytes.size() - at_);
        put_beat(data, packet.bytes.data() + at_, count);
        keep = static_cast<Keep>((1u << count) - 1u);
        last = packet.last && at_ + count == packet.bytes.size();
    }

private:
    void advance(size_t beat) {
        shown_ = false;
        at_ += beat;
        if (at_ < packets_.front().bytes.size()) return;
        packets_.pop_front();
        at_ = 0;
    }
    std::deque<Packet> packets_;
    size_t at_ = 0;
    bool shown_ = false;
};

// Buffers that take the packets of the AXI4-Stream output.
class Sink {
public:
    struct Buffer {
        size_t capacity;
        Bytes bytes;
        bool done, overrun;
    };
    void expect(size_t capacity) { buffers_.push_back({capacity, {}, false, false}); }
    void abort() { buffers_.clear(); open_ = 0; }
    bool any() const { return !buffers_.empty(); }
    bool ready() const { return open_ < buffers_.size(); }
    bool done() const { return any() && buffers_.front().done; }
    Buffer take() {
        Buffer buffer = std::move(buffers_.front());
        buffers_.pop_front();
        --open_;
        return buffer;
    }
    template <typename Data>
    void beat(const Data& data, bool last) {
        Buffer& buffer = buffers_[open_];
        size_t count = std::min(sizeof data, buffer.capacity - buffer.bytes.size());
        const uint8_t* from = reinterpret_cast<const uint8_t*>(&data);
        buffer.bytes.insert(buffer.bytes.end(), from, from + count);
        buffer.overrun |= count < sizeof data;
        buffer.done = last;
        if (last) ++open_;
    }

private:
    std::deque<Buffer> buffers_;
    size_t open_ = 0;  // buffers that are done
};

struct Access {
    uint32_t result, value;
};

class Bus {
public:
    explicit Bus(VerilatedContext* context) : top_(std::make_unique<Vpasa_axi>(context)) {
        top_->aclk = 0;  // inputs start at random, like every other bit
        top_->s_axi_awprot = top_->s_axi_arprot = 0;
        top_->s_axi_awvalid = top_->s_axi_wvalid = top_->s_axi_bready = 0;
        top_->s_axi_arvalid = top_->s_axi_rready = 0;
        reset(16);
    }

    uint64_t clock() const { return clock_; }
    bool interrupt() const { return top_->__SYM__interrupt; }  // Verilator's name for it
    Source& source(unsigned stream) { return sources_[stream]; }
    Sink& sink() { return sink_; }
    Pauses& pauses() { return pauses_; }

    void abort() {
        for (Source& source : sources_) source.abort();
        sink_.abort();
        top_->s_axis_query_tvalid = top_->s_axis_key_tvalid = top_->s_axis_value_tvalid = 0;
        top_->m_axis_output_tready = 0;
    }

    void reset(uint64_t clocks) {
        abort();
        top_->aresetn = 0;
        while (clocks--) tick();
        top_->aresetn = 1;
        tick();
    }

    // Run until `done()` or for `clocks`; whether it is done.
    template <typename Done>
    bool run(uint64_t clocks, Done done) {
        while (!done()) {
            if (clocks-- == 0) return false;
            tick();
        }
        return true;
    }

    Access write(uint32_t address, uint32_t data, unsigned strobes) {
        top_->s_axi_awaddr = address & 0xfff;
        top_->s_axi_wdata = data;
        top_->s_axi_wstrb = strobes & 0xf;
        bool address_left = true, data_left = true, answered = false;
        uint32_t response = 0;
        for (unsigned i = 0; i < PASA_SIM_BUS_CLOCKS && !answered; ++i) {
            raise(top_->s_axi_awvalid, address_left);
            raise(top_->s_axi_wvalid, data_left);
            top_->s_axi_bready = !pauses_.pause();
            settle();
            bool address_fire = top_->s_axi_awvalid && top_->s_axi_awready;
            bool data_fire = top_->s_axi_wvalid && top_->s_axi_wready;
            answered = top_->s_axi_bvalid && top_->s_axi_bready;
            response = top_->s_axi_bresp;
            tick();
            if (address_fire) address_left = top_->s_axi_awvalid = 0;
            if (data_fire) data_left = top_->s_axi_wvalid = 0;
        }
        top_->s_axi_awvalid = top_->s_axi_wvalid = top_->s_axi_bready = 0;
        return {answered ? response : uint32_t{PASA_SIM_TIMEOUT}, 0};
    }

    Access read(uint32_t address) {
        top_->s_axi_araddr = address & 0xfff;
        bool address_left = true, answered = false;
        Access access{0, 0};
        for (unsigned i = 0; i < PASA_SIM_BUS_CLOCKS && !answered; ++i) {
            raise(top_->s_axi_arvalid, address_left);
            top_->s_axi_rready = !pauses_.pause();
            settle();
            bool address_fire = top_->s_axi_arvalid && top_->s_axi_arready;
            answered = top_->s_axi_rvalid && top_->s_axi_rready;
            access = {top_->s_axi_rresp, top_->s_axi_rdata};
            tick();
            if (address_fire) address_left = top_->s_axi_arvalid = 0;
        }
        top_->s_axi_arvalid = top_->s_axi_rready = 0;
        return answered ? access : Access{PASA_SIM_TIMEOUT, 0};
    }

    // One clock: what passed is known before the edge, new inputs appear after it.
    void tick() {
        settle();
        bool query = top_->s_axis_query_tvalid && top_->s_axis_query_tready;
        bool key = top_->s_axis_key_tvalid && top_->s_axis_key_tready;
        bool value = top_->s_axis_value_tvalid && top_->s_axis_value_tready;
        if (top_->m_axis_output_tvalid && top_->m_axis_output_tready)
            sink_.beat(top_->m_axis_output_tdata, top_->m_axis_output_tlast);
        top_->aclk = 1;
        settle();
        ++clock_;
        sources_[PASA_SIM_QUERY].step(query, pauses_, top_->s_axis_query_tdata,
            top_->s_axis_query_tkeep, top_->s_axis_query_tvalid, top_->s_axis_query_tlast);
        sources_[PASA_SIM_KEY].step(key, pauses_, top_->s_axis_key_tdata,
            top_->s_axis_key_tkeep, top_->s_axis_key_tvalid, top_->s_axis_key_tlast);
        sources_[PASA_SIM_VALUE].step(value, pauses_, top_->s_axis_value_tdata,
            top_->s_axis_value_tkeep, top_->s_axis_value_tvalid, top_->s_axis_value_tlast);
        top_->m_axis_output_tready = sink_.ready() && !pauses_.pause();
        top_->aclk = 0;
    }

private:
    void settle() { top_->eval(); }
    void raise(CData& valid, bool wanted) {
        if (wanted && !valid) valid = !pauses_.pause();
    }

    std::unique_ptr<Vpasa_axi> top_;
    Source sources_[3];
    Sink sink_;
    Pauses pauses_;
    uint64_t clock_ = 0;
};

#endif
