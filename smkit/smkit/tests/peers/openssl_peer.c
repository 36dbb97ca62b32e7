/*
 * OpenSSL's libcrypto as a peer of smkit: answers one line for each request of a file (format: ../it/cases.rs).
 *
 * Build: cc -O2 openssl_peer.c -lcrypto
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_BYTES_MAX (1 << 17)

typedef struct {
    size_t len;
    unsigned char at[FIELD_BYTES_MAX];
} field;
static field fields[6];

static void must(int right, const char *what) {
    if (!right) {
        fprintf(stderr, "%s failed\n", what);
        ERR_print_errors_fp(stderr);
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
        must(out->len < FIELD_BYTES_MAX && sscanf(text, "%2x", &byte) == 1, "a field");
        out->at[out->len++] = (unsigned char)byte;
    }
}

static size_t number(const field *from) {
    return (size_t)from->at[0] << 24 | (size_t)from->at[1] << 16 | (size_t)from->at[2] << 8 | from->at[3];
}

/* A key from its public point and, where there is one, d. */
static EVP_PKEY *key_of(const unsigned char *public, const unsigned char *d) {
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *secret = d ? BN_bin2bn(d, 32, NULL) : NULL;
    must(OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0), "group");
    must(OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, public, 65), "public");
    if (d) must(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret), "secret");
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    EVP_PKEY *key = NULL;
    must(EVP_PKEY_fromdata_init(ctx) == 1, "fromdata");
    must(EVP_PKEY_fromdata(ctx, &key, d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) == 1, "key");
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(secret);
    return key;
}

/* Signs (raw r || s into out), or verifies what is there. */
static int signature(EVP_PKEY *key, const field *id, const field *message, unsigned char out[64], int signing) {
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    must(EVP_PKEY_CTX_set1_id(ctx, id->at, (int)id->len) == 1, "id");
    EVP_MD_CTX_set_pkey_ctx(md, ctx);
    unsigned char der[80], *end = der;
    const unsigned char *begin = der;
    size_t len = sizeof der;
    int right = 1;
    ECDSA_SIG *numbers = NULL;
    if (signing) {
        must(EVP_DigestSignInit(md, NULL, EVP_sm3(), NULL, key) == 1, "sign init");
        must(EVP_DigestSign(md, der, &len, message->at, message->len) == 1, "sign");
        numbers = d2i_ECDSA_SIG(NULL, &begin, (long)len);
        must(BN_bn2binpad(ECDSA_SIG_get0_r(numbers), out, 32) == 32, "r");
        must(BN_bn2binpad(ECDSA_SIG_get0_s(numbers), out + 32, 32) == 32, "s");
    } else {
        numbers = ECDSA_SIG_new();
        must(ECDSA_SIG_set0(numbers, BN_bin2bn(out, 32, NULL), BN_bin2bn(out + 32, 32, NULL)), "r, s");
        int written = i2d_ECDSA_SIG(numbers, &end);
        must(EVP_DigestVerifyInit(md, NULL, EVP_sm3(), NULL, key) == 1, "verify init");
        right = EVP_DigestVerify(md, der, (size_t)written, message->at, message->len) == 1;
    }
    ECDSA_SIG_free(numbers);
    EVP_MD_CTX_free(md);
    EVP_PKEY_CTX_free(ctx);
    return right;
}

static void encryption(EVP_PKEY *key, const field *in, int seal) {
    static unsigned char out[FIELD_BYTES_MAX];
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t len = sizeof out;
    if (seal) {
        must(EVP_PKEY_encrypt_init(ctx) == 1, "encrypt init");
        must(EVP_PKEY_encrypt(ctx, out, &len, in->at, in->len) == 1, "encrypt");
        print_hex(out, len);
    } else {
        must(EVP_PKEY_decrypt_init(ctx) == 1, "decrypt init");
        if (EVP_PKEY_decrypt(ctx, out, &len, in->at, in->len) == 1) print_hex(out, len);
        else printf("!");
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
}

static void cipher(const EVP_CIPHER *kind, int seal) {
    static unsigned char out[FIELD_BYTES_MAX + 32];
    field *f = fields;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int some = 0, rest = 0;
    must(EVP_CipherInit_ex(ctx, kind, NULL, f[0].at, f[1].at, seal) == 1, "cipher init");
    must(EVP_CipherUpdate(ctx, out, &some, f[2].at, (int)f[2].len) == 1, "cipher");
    if (EVP_CipherFinal_ex(ctx, out + some, &rest) == 1) print_hex(out, (size_t)(some + rest));
    else printf("!");
    EVP_CIPHER_CTX_free(ctx);
}

static void hkdf(size_t len) {
    static unsigned char out[FIELD_BYTES_MAX];
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SM3", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, fields[0].at, fields[0].len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, fields[1].at, fields[1].len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, fields[2].at, fields[2].len),
        OSSL_PARAM_construct_end(),
    };
    must(EVP_KDF_derive(ctx, out, len, params) == 1, "hkdf");
    print_hex(out, len);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static void answer(const char *op) {
    static unsigned char out[FIELD_BYTES_MAX];
    field *f = fields;
    unsigned len = 0;
    if (!strcmp(op, "sm3")) {
        must(EVP_Digest(f[0].at, f[0].len, out, &len, EVP_sm3(), NULL) == 1, "sm3");
        print_hex(out, len);
    } else if (!strcmp(op, "hmac")) {
        must(HMAC(EVP_sm3(), f[0].at, (int)f[0].len, f[1].at, f[1].len, out, &len) != NULL, "hmac");
        print_hex(out, len);
    } else if (!strcmp(op, "pbkdf2")) {
        size_t bytes = number(&f[3]);
        must(PKCS5_PBKDF2_HMAC((const char *)f[0].at, (int)f[0].len, f[1].at, (int)f[1].len, (int)number(&f[2]),
                               EVP_sm3(), (int)bytes, out) == 1, "pbkdf2");
        print_hex(out, bytes);
    } else if (!strcmp(op, "hkdf")) {
        hkdf(number(&f[3]));
    } else if (!strcmp(op, "sign")) {
        EVP_PKEY *key = key_of(f[1].at, f[0].at);
        signature(key, &f[2], &f[3], out, 1);
        print_hex(out, 64);
        EVP_PKEY_free(key);
    } else if (!strcmp(op, "verify")) {
        EVP_PKEY *key = key_of(f[0].at, NULL);
        printf("%d", signature(key, &f[1], &f[2], f[3].at, 0));
        EVP_PKEY_free(key);
    } else if (!strcmp(op, "encrypt-der")) {
        encryption(key_of(f[0].at, NULL), &f[1], 1);
    } else if (!strcmp(op, "decrypt-der")) {
        encryption(key_of(f[1].at, f[0].at), &f[2], 0);
    } else if (!strcmp(op, "cbc-seal") || !strcmp(op, "cbc-open")) {
        cipher(EVP_sm4_cbc(), op[4] == 's');
    } else if (!strcmp(op, "ctr")) {
        cipher(EVP_sm4_ctr(), 1);
    } else {
        printf("?");
    }
    printf("\n");
}

int main(int count, char **words) {
    static char line[2 * FIELD_BYTES_MAX + 4096];
    FILE *in = count == 2 ? fopen(words[1], "r") : NULL;
    if (!in) return 2;
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
    return 0;
}
