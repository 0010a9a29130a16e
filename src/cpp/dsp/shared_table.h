// Constants that take time to compute and room to hold: made once in a process, read by all threads.
//
// Without a lock, so that a process may be forked at any moment: threads that need a table at the same time may
// each make one, and the first to finish provides it. Never destroyed, since threads may still be at work while
// a process exits.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>

namespace auralis {

template <typename Table, typename... Arguments>
const Table& shared_table_in(std::atomic<const Table*>& place, Arguments... arguments) {
    if (const Table* table = place.load(std::memory_order_acquire)) return *table;
    auto made = std::make_unique<const Table>(arguments...);
    const Table* table = nullptr;
    if (place.compare_exchange_strong(table, made.get(), std::memory_order_acq_rel)) table = made.release();
    return *table;
}

template <typename Table>
const Table& shared_table() {
    static std::atomic<const Table*> place;
    return shared_table_in(place);
}

// The table of size n, a power of two.
template <typename Table>
const Table& shared_table(std::size_t n) {
    static std::array<std::atomic<const Table*>, 64> places;
    return shared_table_in(places[static_cast<std::size_t>(std::countr_zero(n))], n);
}

}  // namespace auralis
