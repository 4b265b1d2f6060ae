/*
 * Compares names without regard to the normalisation form of Unicode: file names in
 * archives are often NFD, what a user types is NFC. The interface is in giq/external.h.
 */
#include "giq/external.h"

#include <string.h>

#include "base/giq_text.h"

/* Canonical decompositions of Unicode 15 for Latin, modern Greek, Cyrillic, Hiragana and
 * Katakana (polytonic Greek is compared by code points), by combining mark: pairs of a
 * base letter and the letter composed of it and the mark. Hangul needs no table. */
static const struct {
    uint32_t mark;
    const char *pairs;
} marks[] = {
    {0x0300,
     "A\u00c0E\u00c8I\u00ccO\u00d2U\u00d9a\u00e0e\u00e8i\u00eco\u00f2u\u00f9"
     "\u00dc\u01db\u00fc\u01dcN\u01f8n\u01f9\u0415\u0400\u0418\u040d\u0435\u0450"
     "\u0438\u045d\u0112\u1e14\u0113\u1e15\u014c\u1e50\u014d\u1e51W\u1e80w\u1e81"
     "\u00c2\u1ea6\u00e2\u1ea7\u0102\u1eb0\u0103\u1eb1\u00ca\u1ec0\u00ea\u1ec1"
     "\u00d4\u1ed2\u00f4\u1ed3\u01a0\u1edc\u01a1\u1edd\u01af\u1eea\u01b0\u1eebY\u1ef2"
     "y\u1ef3"},
    {0x0301,
     "A\u00c1E\u00c9I\u00cdO\u00d3U\u00daY\u00dda\u00e1e\u00e9i\u00edo\u00f3u\u00fa"
     "y\u00fdC\u0106c\u0107L\u0139l\u013aN\u0143n\u0144R\u0154r\u0155S\u015as\u015b"
     "Z\u0179z\u017a\u00dc\u01d7\u00fc\u01d8G\u01f4g\u01f5\u00c5\u01fa\u00e5\u01fb"
     "\u00c6\u01fc\u00e6\u01fd\u00d8\u01fe\u00f8\u01ff\u00a8\u0385\u0391\u0386"
     "\u0395\u0388\u0397\u0389\u0399\u038a\u039f\u038c\u03a5\u038e\u03a9\u038f"
     "\u03ca\u0390\u03b1\u03ac\u03b5\u03ad\u03b7\u03ae\u03b9\u03af\u03cb\u03b0"
     "\u03bf\u03cc\u03c5\u03cd\u03c9\u03ce\u03d2\u03d3\u0413\u0403\u041a\u040c"
     "\u0433\u0453\u043a\u045c\u00c7\u1e08\u00e7\u1e09\u0112\u1e16\u0113\u1e17"
     "\u00cf\u1e2e\u00ef\u1e2fK\u1e30k\u1e31M\u1e3em\u1e3f\u00d5\u1e4c\u00f5\u1e4d"
     "\u014c\u1e52\u014d\u1e53P\u1e54p\u1e55\u0168\u1e78\u0169\u1e79W\u1e82w\u1e83"
     "\u00c2\u1ea4\u00e2\u1ea5\u0102\u1eae\u0103\u1eaf\u00ca\u1ebe\u00ea\u1ebf"
     "\u00d4\u1ed0\u00f4\u1ed1\u01a0\u1eda\u01a1\u1edb\u01af\u1ee8\u01b0\u1ee9"},
    {0x0302,
     "A\u00c2E\u00caI\u00ceO\u00d4U\u00dba\u00e2e\u00eai\u00eeo\u00f4u\u00fbC\u0108"
     "c\u0109G\u011cg\u011dH\u0124h\u0125J\u0134j\u0135S\u015cs\u015dW\u0174w\u0175"
     "Y\u0176y\u0177Z\u1e90z\u1e91\u1ea0\u1eac\u1ea1\u1ead\u1eb8\u1ec6\u1eb9\u1ec7"
     "\u1ecc\u1ed8\u1ecd\u1ed9"},
    {0x0303,
     "A\u00c3N\u00d1O\u00d5a\u00e3n\u00f1o\u00f5I\u0128i\u0129U\u0168u\u0169V\u1e7c"
     "v\u1e7d\u00c2\u1eaa\u00e2\u1eab\u0102\u1eb4\u0103\u1eb5E\u1ebce\u1ebd"
     "\u00ca\u1ec4\u00ea\u1ec5\u00d4\u1ed6\u00f4\u1ed7\u01a0\u1ee0\u01a1\u1ee1"
     "\u01af\u1eee\u01b0\u1eefY\u1ef8y\u1ef9"},
    {0x0304, "A\u0100a\u0101E\u0112e\u0113I\u012ai\u012bO\u014co\u014dU\u016au\u016b"
             "\u00dc\u01d5\u00fc\u01d6\u00c4\u01de\u00e4\u01df\u0226\u01e0\u0227\u01e1"
             "\u00c6\u01e2\u00e6\u01e3\u01ea\u01ec\u01eb\u01ed\u00d6\u022a\u00f6\u022b"
             "\u00d5\u022c\u00f5\u022d\u022e\u0230\u022f\u0231Y\u0232y\u0233\u0418\u04e2"
             "\u0438\u04e3\u0423\u04ee\u0443\u04efG\u1e20g\u1e21\u1e36\u1e38\u1e37\u1e39"
             "\u1e5a\u1e5c\u1e5b\u1e5d"},
    {0x0306,
     "A\u0102a\u0103E\u0114e\u0115G\u011eg\u011fI\u012ci\u012dO\u014eo\u014fU\u016c"
     "u\u016d\u0423\u040e\u0418\u0419\u0438\u0439\u0443\u045e\u0416\u04c1\u0436\u04c2"
     "\u0410\u04d0\u0430\u04d1\u0415\u04d6\u0435\u04d7\u0228\u1e1c\u0229\u1e1d"
     "\u1ea0\u1eb6\u1ea1\u1eb7"},
    {0x0307,
     "C\u010ac\u010bE\u0116e\u0117G\u0120g\u0121I\u0130Z\u017bz\u017cA\u0226a\u0227"
     "O\u022eo\u022fB\u1e02b\u1e03D\u1e0ad\u1e0bF\u1e1ef\u1e1fH\u1e22h\u1e23M\u1e40"
     "m\u1e41N\u1e44n\u1e45P\u1e56p\u1e57R\u1e58r\u1e59S\u1e60s\u1e61\u015a\u1e64"
     "\u015b\u1e65\u0160\u1e66\u0161\u1e67\u1e62\u1e68\u1e63\u1e69T\u1e6at\u1e6b"
     "W\u1e86w\u1e87X\u1e8ax\u1e8bY\u1e8ey\u1e8f\u017f\u1e9b"},
    {0x0308,
     "A\u00c4E\u00cbI\u00cfO\u00d6U\u00dca\u00e4e\u00ebi\u00efo\u00f6u\u00fcy\u00ff"
     "Y\u0178\u0399\u03aa\u03a5\u03ab\u03b9\u03ca\u03c5\u03cb\u03d2\u03d4\u0415\u0401"
     "\u0406\u0407\u0435\u0451\u0456\u0457\u0410\u04d2\u0430\u04d3\u04d8\u04da"
     "\u04d9\u04db\u0416\u04dc\u0436\u04dd\u0417\u04de\u0437\u04df\u0418\u04e4"
     "\u0438\u04e5\u041e\u04e6\u043e\u04e7\u04e8\u04ea\u04e9\u04eb\u042d\u04ec"
     "\u044d\u04ed\u0423\u04f0\u0443\u04f1\u0427\u04f4\u0447\u04f5\u042b\u04f8"
     "\u044b\u04f9H\u1e26h\u1e27\u00d5\u1e4e\u00f5\u1e4f\u016a\u1e7a\u016b\u1e7b"
     "W\u1e84w\u1e85X\u1e8cx\u1e8dt\u1e97"},
    {0x0309,
     "A\u1ea2a\u1ea3\u00c2\u1ea8\u00e2\u1ea9\u0102\u1eb2\u0103\u1eb3E\u1ebae\u1ebb"
     "\u00ca\u1ec2\u00ea\u1ec3I\u1ec8i\u1ec9O\u1eceo\u1ecf\u00d4\u1ed4\u00f4\u1ed5"
     "\u01a0\u1ede\u01a1\u1edfU\u1ee6u\u1ee7\u01af\u1eec\u01b0\u1eedY\u1ef6y\u1ef7"},
    {0x030a, "A\u00c5a\u00e5U\u016eu\u016fw\u1e98y\u1e99"},
    {0x030b, "O\u0150o\u0151U\u0170u\u0171\u0423\u04f2\u0443\u04f3"},
    {0x030c,
     "C\u010cc\u010dD\u010ed\u010fE\u011ae\u011bL\u013dl\u013eN\u0147n\u0148R\u0158"
     "r\u0159S\u0160s\u0161T\u0164t\u0165Z\u017dz\u017eA\u01cda\u01ceI\u01cfi\u01d0"
     "O\u01d1o\u01d2U\u01d3u\u01d4\u00dc\u01d9\u00fc\u01daG\u01e6g\u01e7K\u01e8k\u01e9"
     "\u01b7\u01ee\u0292\u01efj\u01f0H\u021eh\u021f"},
    {0x030f,
     "A\u0200a\u0201E\u0204e\u0205I\u0208i\u0209O\u020co\u020dR\u0210r\u0211U\u0214"
     "u\u0215\u0474\u0476\u0475\u0477"},
    {0x0311,
     "A\u0202a\u0203E\u0206e\u0207I\u020ai\u020bO\u020eo\u020fR\u0212r\u0213U\u0216"
     "u\u0217"},
    {0x031b, "O\u01a0o\u01a1U\u01afu\u01b0"},
    {0x0323,
     "B\u1e04b\u1e05D\u1e0cd\u1e0dH\u1e24h\u1e25K\u1e32k\u1e33L\u1e36l\u1e37M\u1e42"
     "m\u1e43N\u1e46n\u1e47R\u1e5ar\u1e5bS\u1e62s\u1e63T\u1e6ct\u1e6dV\u1e7ev\u1e7f"
     "W\u1e88w\u1e89Z\u1e92z\u1e93A\u1ea0a\u1ea1E\u1eb8e\u1eb9I\u1ecai\u1ecbO\u1ecc"
     "o\u1ecd\u01a0\u1ee2\u01a1\u1ee3U\u1ee4u\u1ee5\u01af\u1ef0\u01b0\u1ef1Y\u1ef4"
     "y\u1ef5"},
    {0x0324, "U\u1e72u\u1e73"},
    {0x0325, "A\u1e00a\u1e01"},
    {0x0326, "S\u0218s\u0219T\u021at\u021b"},
    {0x0327,
     "C\u00c7c\u00e7G\u0122g\u0123K\u0136k\u0137L\u013bl\u013cN\u0145n\u0146R\u0156"
     "r\u0157S\u015es\u015fT\u0162t\u0163E\u0228e\u0229D\u1e10d\u1e11H\u1e28h\u1e29"},
    {0x0328, "A\u0104a\u0105E\u0118e\u0119I\u012ei\u012fU\u0172u\u0173O\u01eao\u01eb"},
    {0x032d,
     "D\u1e12d\u1e13E\u1e18e\u1e19L\u1e3cl\u1e3dN\u1e4an\u1e4bT\u1e70t\u1e71U\u1e76"
     "u\u1e77"},
    {0x032e, "H\u1e2ah\u1e2b"},
    {0x0330, "E\u1e1ae\u1e1bI\u1e2ci\u1e2dU\u1e74u\u1e75"},
    {0x0331,
     "B\u1e06b\u1e07D\u1e0ed\u1e0fK\u1e34k\u1e35L\u1e3al\u1e3bN\u1e48n\u1e49R\u1e5e"
     "r\u1e5fT\u1e6et\u1e6fZ\u1e94z\u1e95h\u1e96"},
    {0x3099, "\u304b\u304c\u304d\u304e\u304f\u3050\u3051\u3052\u3053\u3054\u3055\u3056"
             "\u3057\u3058\u3059\u305a\u305b\u305c\u305d\u305e\u305f\u3060\u3061\u3062"
             "\u3064\u3065\u3066\u3067\u3068\u3069\u306f\u3070\u3072\u3073\u3075\u3076"
             "\u3078\u3079\u307b\u307c\u3046\u3094\u309d\u309e\u30ab\u30ac\u30ad\u30ae"
             "\u30af\u30b0\u30b1\u30b2\u30b3\u30b4\u30b5\u30b6\u30b7\u30b8\u30b9\u30ba"
             "\u30bb\u30bc\u30bd\u30be\u30bf\u30c0\u30c1\u30c2\u30c4\u30c5\u30c6\u30c7"
             "\u30c8\u30c9\u30cf\u30d0\u30d2\u30d3\u30d5\u30d6\u30d8\u30d9\u30db\u30dc"
             "\u30a6\u30f4\u30ef\u30f7\u30f0\u30f8\u30f1\u30f9\u30f2\u30fa\u30fd\u30fe"},
    {0x309a, "\u306f\u3071\u3072\u3074\u3075\u3077\u3078\u307a\u307b\u307d\u30cf\u30d1"
             "\u30d2\u30d4\u30d5\u30d7\u30d8\u30da\u30db\u30dd"},
};

/* No letter of the table decomposes into more marks. */
enum { MARKS_MAX = 4 };

/* A text read as base letters and combining marks (NFD). */
struct nfd_reader {
    const char *at;
    uint32_t pending[MARKS_MAX]; /* marks of the last letter, in reverse order */
    size_t count;
};

static uint32_t take_code(const char **at)
{
    size_t len = giq_text_utf8_char_len(*at, strnlen(*at, 4));
    /* A byte that is not UTF-8 gets a code beyond all characters. */
    uint32_t code = len == 0 ? UINT32_C(0x110000) + (unsigned char)**at
                             : giq_text_code_point(*at, len);
    *at += len == 0 ? 1 : len;
    return code;
}

/* Decompose a letter into a letter and a mark. */
static bool decompose(uint32_t code, uint32_t *out_letter, uint32_t *out_mark)
{
    for (size_t i = 0; i < GIQ_COUNT(marks); i++) {
        for (const char *at = marks[i].pairs; *at != '\0';) {
            uint32_t letter = take_code(&at);
            if (take_code(&at) == code) {
                *out_letter = letter;
                *out_mark = marks[i].mark;
                return true;
            }
        }
    }
    return false;
}

/* Decompose a syllable of Hangul (Unicode, 3.12). */
static bool decompose_hangul(uint32_t code, uint32_t *out_letter, uint32_t *out_mark)
{
    enum { FIRST = 0xAC00, LAST = 0xD7A3, LEAD = 0x1100, VOWEL = 0x1161, TAIL = 0x11A7 };
    enum { VOWELS = 21, TAILS = 28 };
    if (code < FIRST || code > LAST) {
        return false;
    }
    uint32_t tail = (code - FIRST) % TAILS;
    uint32_t syllable = (code - FIRST) / TAILS;
    *out_letter = tail > 0 ? code - tail : LEAD + syllable / VOWELS;
    *out_mark = tail > 0 ? TAIL + tail : VOWEL + syllable % VOWELS;
    return true;
}

/* The next letter or mark, ASCII in lower case; 0 at the end. */
static uint32_t next_code(struct nfd_reader *reader)
{
    if (reader->count > 0) {
        return reader->pending[--reader->count];
    }
    if (*reader->at == '\0') {
        return 0;
    }
    uint32_t code = take_code(&reader->at);
    uint32_t letter = 0;
    uint32_t mark = 0;
    while (code >= 0x80 && reader->count < MARKS_MAX &&
           (decompose(code, &letter, &mark) || decompose_hangul(code, &letter, &mark))) {
        reader->pending[reader->count++] = mark;
        code = letter;
    }
    return code >= 'A' && code <= 'Z' ? code + 32 : code;
}

bool giq_norm_same(const char *a, const char *b)
{
    struct nfd_reader one = {.at = a};
    struct nfd_reader other = {.at = b};
    for (;;) {
        uint32_t code = next_code(&one);
        if (code != next_code(&other)) {
            return false;
        }
        if (code == 0) {
            return true;
        }
    }
}
