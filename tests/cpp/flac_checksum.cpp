// The checksum of packaging/ffmpeg against FFmpeg's own: of any bytes, at any address, of any length.
//
//   auralis_flac_checksum      prints one line for each difference, and at last how many were compared
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

extern "C" {
#include "../../packaging/ffmpeg/flac_checksum.h"
}

int main() {
    std::minstd_rand random(1);
    std::vector<std::uint8_t> bytes(1200);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() >> 8U);
    int compared = 0;
    bool equal = true;
    for (const AVCRCId id : {AV_CRC_16_ANSI, AV_CRC_8_ATM}) {
        const AVCRC* const table = av_crc_get_table(id);
        for (std::size_t start = 0; start < 16; ++start) {
            for (std::size_t size = 0; start + size <= bytes.size(); ++size, ++compared) {
                const auto before = static_cast<std::uint32_t>(random()) & (id == AV_CRC_16_ANSI ? 0xFFFFU : 0xFFU);
                const std::uint8_t* const data = bytes.data() + start;
                // In parentheses, av_crc is FFmpeg's, which the header's macro does not replace.
                if (av_crc(table, before, data, size) == (av_crc)(table, before, data, size)) continue;
                std::printf("table %d, start %zu, size %zu\n", static_cast<int>(id), start, size);
                equal = false;
            }
        }
    }
    std::printf("compared %d\n", compared);
    return equal ? 0 : 1;
}
