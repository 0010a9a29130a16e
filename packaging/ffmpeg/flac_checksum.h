// The checksum of FLAC's frames by carry-less multiplication, which takes the place of av_crc in
// libavcodec/flac_parser.c.
//
// The parser of FFmpeg 7.1 checks every frame, that of 5.1 doubtful ones only. av_crc looks every byte up in a table:
// that was 7 % of the decoder's time.
#pragma once

#include <libavutil/crc.h>

#ifdef __x86_64__
#include <immintrin.h>

// The remainder stays the same if the first 16 bytes are taken away and, times x^128, added to the next 16. Of their
// two halves, each is multiplied by the remainder of its own power modulo x^16 + x^15 + x^2 + 1.
__attribute__((target("pclmul,ssse3"))) static uint32_t flac_checksum_of_many(const AVCRC* table, uint32_t crc,
                                                                              const uint8_t* data, size_t size) {
    const __m128i reversed = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i powers = _mm_set_epi64x(0x1666, 0x106);  // x^192, x^128
    uint8_t last[16];
    __m128i sum = _mm_xor_si128(_mm_loadu_si128((const __m128i*)data), _mm_cvtsi32_si128((int)crc));
    sum = _mm_shuffle_epi8(sum, reversed);
    for (data += 16, size -= 16; size >= 16; data += 16, size -= 16) {
        const __m128i next = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i*)data), reversed);
        const __m128i high = _mm_clmulepi64_si128(sum, powers, 0x11);
        const __m128i low = _mm_clmulepi64_si128(sum, powers, 0x00);
        sum = _mm_xor_si128(next, _mm_xor_si128(high, low));
    }
    _mm_storeu_si128((__m128i*)last, _mm_shuffle_epi8(sum, reversed));
    return av_crc(table, av_crc(table, 0, last, 16), data, size);
}

static uint32_t flac_checksum(const AVCRC* table, uint32_t crc, const uint8_t* data, size_t size) {
    if (size < 16 || table != av_crc_get_table(AV_CRC_16_ANSI) || !__builtin_cpu_supports("pclmul"))
        return av_crc(table, crc, data, size);
    return flac_checksum_of_many(table, crc, data, size);
}
#define av_crc(table, crc, data, size) flac_checksum(table, crc, data, size)
#endif
