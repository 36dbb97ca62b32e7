/*
 * libgcrypt as a peer of smkit.
 *
 *   gcrypt cases FILE   answers one line for each request of FILE (format: ../it/cases.rs)
 *   gcrypt speed        prints "name value" a line: operations or bytes a second of this thread's CPU time
 *
 * Build: cc -O2 gcrypt.c -lgcrypt
 */
#include <gcrypt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIELD_BYTES_MAX (1 << 17)
static const unsigned char CURVE[128] = {
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc,
    0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09, 0xa7,
    0xf3, 0x97, 0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94, 0x0e, 0x93,
    0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9, 0x94,
    0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7,
    0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53,
    0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0,
};

typedef struct {
    size_t len;
    unsigned char at[FIELD_BYTES_MAX];
} field;
static field fields[6];

static void must(gcry_error_t error, const char *what) {
    if (error) {
        fprintf(stderr, "%s: %s\n", what, gcry_strerror(error));
        exit(2);
    }
}

static void print_hex(const unsigned char *bytes, size_t len) {
    if (!len) printf("-");
    for (size_t i = 0; i < len; i++) printf("%02x", bytes[i]);
}

static void read_hex(const char *text, field *out) {
    out->len = 0;
    if (!strcmp(text, "-")) return;
    for (; text[0] && text[1]; text += 2) {
        unsigned byte;
        if (out->len == FIELD_BYTES_MAX || sscanf(text, "%2x", &byte) != 1) exit(2);
        out->at[out->len++] = (unsigned char)byte;
    }
}

/* e = SM3(ZA || message) */
static void digest(const field *public, const field *id, const field *message, unsigned char e[32]) {
    unsigned char entl[2] = {(unsigned char)(id->len >> 5), (unsigned char)(id->len << 3)};
    gcry_md_hd_t md;
    must(gcry_md_open(&md, GCRY_MD_SM3, 0), "md");
    gcry_md_write(md, entl, 2);
    gcry_md_write(md, id->at, id->len);
    gcry_md_write(md, CURVE, 128);
    gcry_md_write(md, public->at + 1, 64);
    memcpy(e, gcry_md_read(md, 0), 32);
    gcry_md_reset(md);
    gcry_md_write(md, e, 32);
    gcry_md_write(md, message->at, message->len);
    memcpy(e, gcry_md_read(md, 0), 32);
    gcry_md_close(md);
}

static gcry_sexp_t data_of(const unsigned char e[32]) {
    gcry_sexp_t data;
    must(gcry_sexp_build(&data, NULL, "(data (flags sm2)(hash sm3 %b))", 32, e), "data");
    return data;
}

static gcry_sexp_t private_of(const unsigned char *d, const unsigned char *q) {
    gcry_sexp_t key;
    must(gcry_sexp_build(&key, NULL, "(private-key (ecc (curve sm2p256v1)(flags sm2)(q %b)(d %b)))", 65, q, 32, d), "key");
    return key;
}

static gcry_sexp_t public_of(const unsigned char *q) {
    gcry_sexp_t key;
    must(gcry_sexp_build(&key, NULL, "(public-key (ecc (curve sm2p256v1)(flags sm2)(q %b)))", 65, q), "key");
    return key;
}

static void number_of(gcry_sexp_t signature, const char *name, unsigned char out[32]) {
    gcry_sexp_t found = gcry_sexp_find_token(signature, name, 1);
    gcry_mpi_t number = gcry_sexp_nth_mpi(found, 1, GCRYMPI_FMT_USG);
    size_t len = 0;
    unsigned char bytes[32];
    must(gcry_mpi_print(GCRYMPI_FMT_USG, bytes, 32, &len, number), "number");
    memset(out, 0, 32);
    memcpy(out + 32 - len, bytes, len);
    gcry_mpi_release(number);
    gcry_sexp_release(found);
}

static void sign(const unsigned char *d, const unsigned char *q, const unsigned char e[32], unsigned char out[64]) {
    gcry_sexp_t key = private_of(d, q), data = data_of(e), signature;
    must(gcry_pk_sign(&signature, data, key), "sign");
    number_of(signature, "r", out);
    number_of(signature, "s", out + 32);
    gcry_sexp_release(signature);
    gcry_sexp_release(data);
    gcry_sexp_release(key);
}

static int verify(const unsigned char *q, const unsigned char e[32], const unsigned char rs[64]) {
    gcry_sexp_t key = public_of(q), data = data_of(e), signature;
    must(gcry_sexp_build(&signature, NULL, "(sig-val (sm2 (r %b)(s %b)))", 32, rs, 32, rs + 32), "sig-val");
    int valid = !gcry_pk_verify(signature, data, key);
    gcry_sexp_release(signature);
    gcry_sexp_release(data);
    gcry_sexp_release(key);
    return valid;
}

static gcry_cipher_hd_t cipher(int mode, const unsigned char *key, const field *iv) {
    gcry_cipher_hd_t hd;
    must(gcry_cipher_open(&hd, GCRY_CIPHER_SM4, mode, 0), "open");
    must(gcry_cipher_setkey(hd, key, mode == GCRY_CIPHER_MODE_XTS ? 32 : 16), "key");
    if (mode == GCRY_CIPHER_MODE_CTR)
        must(gcry_cipher_setctr(hd, iv->at, iv->len), "ctr");
    else if (iv)
        must(gcry_cipher_setiv(hd, iv->at, iv->len), "iv");
    return hd;
}

static size_t number(const field *from) {
    return (size_t)from->at[0] << 24 | (size_t)from->at[1] << 16 | (size_t)from->at[2] << 8 | from->at[3];
}

/* GCM or CCM; CCM wants all lengths first. */
static void aead(int mode, int seal) {
    static unsigned char out[FIELD_BYTES_MAX + 32];
    field *f = fields;
    size_t len = seal ? f[3].len : f[3].len - 16;
    gcry_cipher_hd_t hd = cipher(mode, f[0].at, &f[1]);
    if (mode == GCRY_CIPHER_MODE_CCM) {
        uint64_t lengths[3] = {len, f[2].len, 16};
        must(gcry_cipher_ctl(hd, GCRYCTL_SET_CCM_LENGTHS, lengths, sizeof lengths), "lengths");
    }
    must(gcry_cipher_authenticate(hd, f[2].at, f[2].len), "aad");
    if (seal) {
        must(gcry_cipher_encrypt(hd, out, len, f[3].at, len), "seal");
        must(gcry_cipher_gettag(hd, out + len, 16), "tag");
        print_hex(out, len + 16);
    } else {
        must(gcry_cipher_decrypt(hd, out, len, f[3].at, len), "open");
        if (gcry_cipher_checktag(hd, f[3].at + len, 16)) printf("!");
        else print_hex(out, len);
    }
    gcry_cipher_close(hd);
}

/* libgcrypt has no padding: it is put on and checked here. */
static void cbc(int seal) {
    static unsigned char out[FIELD_BYTES_MAX + 32];
    field *f = fields;
    size_t len = f[2].len;
    gcry_cipher_hd_t hd = cipher(GCRY_CIPHER_MODE_CBC, f[0].at, &f[1]);
    memcpy(out, f[2].at, len);
    if (seal) {
        size_t count = 16 - len % 16;
        memset(out + len, (int)count, count);
        must(gcry_cipher_encrypt(hd, out, len + count, NULL, 0), "cbc");
        print_hex(out, len + count);
    } else {
        must(gcry_cipher_decrypt(hd, out, len, NULL, 0), "cbc");
        size_t count = out[len - 1], wrong = count < 1 || count > 16;
        for (size_t i = 0; !wrong && i < count; i++) wrong = out[len - 1 - i] != count;
        if (wrong) printf("!");
        else print_hex(out, len - count);
    }
    gcry_cipher_close(hd);
}

static void xts(int seal) {
    static unsigned char out[FIELD_BYTES_MAX];
    field *f = fields;
    gcry_cipher_hd_t hd = cipher(GCRY_CIPHER_MODE_XTS, f[0].at, &f[1]);
    if (seal) must(gcry_cipher_encrypt(hd, out, f[2].len, f[2].at, f[2].len), "xts");
    else must(gcry_cipher_decrypt(hd, out, f[2].len, f[2].at, f[2].len), "xts");
    print_hex(out, f[2].len);
    gcry_cipher_close(hd);
}

static void answer(const char *op) {
    static unsigned char out[FIELD_BYTES_MAX + 32];
    unsigned char e[32];
    field *f = fields;
    if (!strcmp(op, "sm3")) {
        gcry_md_hash_buffer(GCRY_MD_SM3, out, f[0].at, f[0].len);
        print_hex(out, 32);
    } else if (!strcmp(op, "hmac")) {
        gcry_md_hd_t md;
        must(gcry_md_open(&md, GCRY_MD_SM3, GCRY_MD_FLAG_HMAC), "hmac");
        must(gcry_md_setkey(md, f[0].at, f[0].len), "hmac key");
        gcry_md_write(md, f[1].at, f[1].len);
        print_hex(gcry_md_read(md, 0), 32);
        gcry_md_close(md);
    } else if (!strcmp(op, "sign")) {
        digest(&f[1], &f[2], &f[3], e);
        sign(f[0].at, f[1].at, e, out);
        print_hex(out, 64);
    } else if (!strcmp(op, "verify")) {
        digest(&f[0], &f[1], &f[2], e);
        printf("%d", verify(f[0].at, e, f[3].at));
    } else if (!strcmp(op, "pbkdf2")) {
        size_t len = number(&f[3]);
        must(gcry_kdf_derive(f[0].at, f[0].len, GCRY_KDF_PBKDF2, GCRY_MD_SM3, f[1].at, f[1].len, number(&f[2]),
                             len, out), "pbkdf2");
        print_hex(out, len);
    } else if (!strcmp(op, "gcm-seal") || !strcmp(op, "gcm-open")) {
        aead(GCRY_CIPHER_MODE_GCM, op[4] == 's');
    } else if (!strcmp(op, "ccm-seal") || !strcmp(op, "ccm-open")) {
        aead(GCRY_CIPHER_MODE_CCM, op[4] == 's');
    } else if (!strcmp(op, "cbc-seal") || !strcmp(op, "cbc-open")) {
        cbc(op[4] == 's');
    } else if (!strcmp(op, "xts-ieee-seal") || !strcmp(op, "xts-ieee-open")) {
        xts(op[9] == 's');
    } else if (!strcmp(op, "ctr")) {
        gcry_cipher_hd_t hd = cipher(GCRY_CIPHER_MODE_CTR, f[0].at, &f[1]);
        must(gcry_cipher_encrypt(hd, out, f[2].len, f[2].at, f[2].len), "ctr");
        print_hex(out, f[2].len);
        gcry_cipher_close(hd);
    } else {
        printf("?");
    }
    printf("\n");
}

static void cases(const char *name) {
    static char line[2 * FIELD_BYTES_MAX + 4096];
    FILE *in = fopen(name, "r");
    if (!in) exit(2);
    while (fgets(line, sizeof line, in)) {
        char *op = strtok(line, " \n");
        for (size_t i = 0; i < 6; i++) {
            char *word = strtok(NULL, " \n");
            if (!word) break;
            read_hex(word, &fields[i]);
        }
        answer(op);
    }
    fclose(in);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median of eleven samples, each of `rounds` runs of a statement worth `units`. */
#define SPEED(name, units, rounds, statement)                                  \
    do {                                                                       \
        double samples[11];                                                    \
        for (int sample = 0; sample < 11; sample++) {                          \
            double started = now();                                            \
            for (int round = 0; round < (rounds); round++) { statement; }      \
            samples[sample] = (double)(units) * (rounds) / (now() - started);  \
        }                                                                      \
        qsort(samples, 11, sizeof(double), by_value);                          \
        printf("%s %.1f\n", name, samples[5]);                                 \
    } while (0)

static void speed(void) {
    static unsigned char data[16384], tag[16];
    static const unsigned char d[32] = {0x39, 0x45, 0x20, 0x8f, 0x7b, 0x21, 0x44, 0xb1, 0x3f, 0x36, 0xe3,
        0x8a, 0xc6, 0xd3, 0x9f, 0x95, 0x88, 0x93, 0x93, 0x69, 0x28, 0x60, 0xb5, 0x1a, 0x42, 0xfb, 0x81,
        0xef, 0x4d, 0xf7, 0xc5, 0xb8};
    static const unsigned char q[65] = {0x04, 0x09, 0xf9, 0xdf, 0x31, 0x1e, 0x54, 0x21, 0xa1, 0x50, 0xdd,
        0x7d, 0x16, 0x1e, 0x4b, 0xc5, 0xc6, 0x72, 0x17, 0x9f, 0xad, 0x18, 0x33, 0xfc, 0x07, 0x6b, 0xb0,
        0x8f, 0xf3, 0x56, 0xf3, 0x50, 0x20, 0xcc, 0xea, 0x49, 0x0c, 0xe2, 0x67, 0x75, 0xa5, 0x2d, 0xc6,
        0xea, 0x71, 0x8c, 0xc1, 0xaa, 0x60, 0x0a, 0xed, 0x05, 0xfb, 0xf3, 0x5e, 0x08, 0x4a, 0x66, 0x32,
        0xf6, 0x07, 0x2d, 0xa9, 0xad, 0x13};
    printf("version %s\n", gcry_check_version(NULL));
    unsigned char rs[64], e[32] = {7};
    sign(d, q, e, rs);
    SPEED("sm2/sign", 1, 50, sign(d, q, e, rs));
    SPEED("sm2/verify", 1, 50, if (!verify(q, e, rs)) exit(2));
    SPEED("sm3/16k", 16384, 256, gcry_md_hash_buffer(GCRY_MD_SM3, e, data, sizeof data));
    SPEED("sm3/64b", 64, 65536, gcry_md_hash_buffer(GCRY_MD_SM3, e, data, 64));
    memset(&fields[0], 0, sizeof fields[0]);
    fields[0].len = 16;
    gcry_cipher_hd_t ctr = cipher(GCRY_CIPHER_MODE_CTR, d, &fields[0]);
    SPEED("sm4/ctr", 16384, 512, must(gcry_cipher_encrypt(ctr, data, sizeof data, NULL, 0), "ctr"));
    fields[0].len = 12;
    gcry_cipher_hd_t gcm = cipher(GCRY_CIPHER_MODE_GCM, d, &fields[0]);
    SPEED("sm4/gcm", 16384, 512, {
        must(gcry_cipher_setiv(gcm, fields[0].at, 12), "iv");
        must(gcry_cipher_encrypt(gcm, data, sizeof data, NULL, 0), "gcm");
        must(gcry_cipher_gettag(gcm, tag, 16), "tag");
    });
}

int main(int count, char **words) {
    if (!gcry_check_version(NULL)) return 2;
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    if (count == 3 && !strcmp(words[1], "cases")) cases(words[2]);
    else if (count == 2 && !strcmp(words[1], "speed")) speed();
    else return 2;
    return 0;
}
