import java.io.BufferedReader;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.crypto.BlockCipher;
import org.bouncycastle.crypto.DataLengthException;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.agreement.SM2KeyExchange;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.generators.KDF2BytesGenerator;
import org.bouncycastle.crypto.generators.PKCS5S2ParametersGenerator;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.modes.AEADBlockCipher;
import org.bouncycastle.crypto.modes.CBCBlockCipher;
import org.bouncycastle.crypto.modes.CCMBlockCipher;
import org.bouncycastle.crypto.modes.GCMBlockCipher;
import org.bouncycastle.crypto.modes.SICBlockCipher;
import org.bouncycastle.crypto.paddings.PKCS7Padding;
import org.bouncycastle.crypto.paddings.PaddedBufferedBlockCipher;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.HKDFParameters;
import org.bouncycastle.crypto.params.KDFParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithID;
import org.bouncycastle.crypto.params.ParametersWithIV;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.params.SM2KeyExchangePrivateParameters;
import org.bouncycastle.crypto.params.SM2KeyExchangePublicParameters;
import org.bouncycastle.crypto.signers.PlainDSAEncoding;
import org.bouncycastle.crypto.signers.SM2Signer;
import org.bouncycastle.crypto.CryptoServicesRegistrar;
import org.bouncycastle.asn1.gm.GMNamedCurves;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.util.BigIntegers;
import org.bouncycastle.util.encoders.Hex;

/**
 * BouncyCastle as a peer of smkit: answers one line for each request of a file (format: ../it/cases.rs).
 *
 * <pre>java -cp bcprov.jar Peer.java FILE</pre>
 */
public final class Peer {
    private static final X9ECParameters CURVE = GMNamedCurves.getByName("sm2p256v1");
    private static final ECDomainParameters DOMAIN =
        new ECDomainParameters(CURVE.getCurve(), CURVE.getG(), CURVE.getN(), CURVE.getH());

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, false);
        try (BufferedReader in = Files.newBufferedReader(Path.of(arguments[0]))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] words = line.split(" ");
                byte[][] fields = new byte[words.length - 1][];
                for (int i = 0; i < fields.length; i++) {
                    fields[i] = words[i + 1].equals("-") ? new byte[0] : Hex.decode(words[i + 1]);
                }
                out.println(answer(words[0], fields));
            }
        }
        out.flush();
    }

    private static String answer(String op, byte[][] f) throws Exception {
        switch (op) {
            case "sm3": return digest(f[0]);
            case "hmac": return hmac(f[0], f[1]);
            case "sign": return sign(f[0], f[2], f[3]);
            case "verify": return verify(f[0], f[1], f[2], f[3]) ? "1" : "0";
            case "kdf": return kdf(f[0], number(f[1]));
            case "pbkdf2": return pbkdf2(f[0], f[1], number(f[2]), number(f[3]));
            case "hkdf": return hkdf(f[0], f[1], f[2], number(f[3]));
            case "gcm-seal": return aead(new GCMBlockCipher(new SM4Engine()), true, f);
            case "gcm-open": return aead(new GCMBlockCipher(new SM4Engine()), false, f);
            case "ccm-seal": return aead(new CCMBlockCipher(new SM4Engine()), true, f);
            case "ccm-open": return aead(new CCMBlockCipher(new SM4Engine()), false, f);
            case "cbc-seal": return cbc(true, f[0], f[1], f[2]);
            case "cbc-open": return cbc(false, f[0], f[1], f[2]);
            case "ctr": return ctr(f[0], f[1], f[2]);
            case "xts-gb-seal": return xts(true, true, f[0], f[1], f[2]);
            case "xts-gb-open": return xts(true, false, f[0], f[1], f[2]);
            case "xts-ieee-seal": return xts(false, true, f[0], f[1], f[2]);
            case "xts-ieee-open": return xts(false, false, f[0], f[1], f[2]);
            case "encrypt": return hex(encrypt(f[0], f[1]));
            case "encrypt-der": return hex(toDer(encrypt(f[0], f[1])));
            case "decrypt": return decrypt(f[0], f[2]);
            case "decrypt-der": return decrypt(f[0], fromDer(f[2]));
            case "exchange-a": return exchange(true, f);
            case "exchange-b": return exchange(false, f);
            default: return "?";
        }
    }

    private static String digest(byte[] message) {
        SM3Digest sm3 = new SM3Digest();
        sm3.update(message, 0, message.length);
        byte[] out = new byte[32];
        sm3.doFinal(out, 0);
        return hex(out);
    }

    private static String hmac(byte[] key, byte[] message) {
        HMac mac = new HMac(new SM3Digest());
        mac.init(new KeyParameter(key));
        mac.update(message, 0, message.length);
        byte[] out = new byte[32];
        mac.doFinal(out, 0);
        return hex(out);
    }

    private static ECPrivateKeyParameters privateKey(byte[] d) {
        return new ECPrivateKeyParameters(new BigInteger(1, d), DOMAIN);
    }

    private static ECPublicKeyParameters publicKey(byte[] sec1) {
        return new ECPublicKeyParameters(CURVE.getCurve().decodePoint(sec1), DOMAIN);
    }

    private static String sign(byte[] d, byte[] id, byte[] message) throws Exception {
        SM2Signer signer = new SM2Signer(PlainDSAEncoding.INSTANCE, new SM3Digest());
        signer.init(true, new ParametersWithID(privateKey(d), id));
        signer.update(message, 0, message.length);
        return hex(signer.generateSignature());
    }

    private static boolean verify(byte[] sec1, byte[] id, byte[] message, byte[] signature) {
        SM2Signer verifier = new SM2Signer(PlainDSAEncoding.INSTANCE, new SM3Digest());
        verifier.init(false, new ParametersWithID(publicKey(sec1), id));
        verifier.update(message, 0, message.length);
        return verifier.verifySignature(signature);
    }

    private static int number(byte[] field) {
        return ByteBuffer.wrap(field).getInt();
    }

    /** GB/T 32918.4 5.4.3 is KDF2 of ISO 18033-2. */
    private static String kdf(byte[] z, int length) {
        KDF2BytesGenerator generator = new KDF2BytesGenerator(new SM3Digest());
        generator.init(new KDFParameters(z, null));
        byte[] out = new byte[length];
        generator.generateBytes(out, 0, length);
        return hex(out);
    }

    private static String pbkdf2(byte[] password, byte[] salt, int rounds, int length) {
        PKCS5S2ParametersGenerator generator = new PKCS5S2ParametersGenerator(new SM3Digest());
        generator.init(password, salt, rounds);
        return hex(((KeyParameter) generator.generateDerivedMacParameters(8 * length)).getKey());
    }

    private static String hkdf(byte[] secret, byte[] salt, byte[] info, int length) {
        HKDFBytesGenerator generator = new HKDFBytesGenerator(new SM3Digest());
        generator.init(new HKDFParameters(secret, salt, info));
        byte[] out = new byte[length];
        generator.generateBytes(out, 0, length);
        return hex(out);
    }

    private static String aead(AEADBlockCipher cipher, boolean seal, byte[][] f) {
        cipher.init(seal, new AEADParameters(new KeyParameter(f[0]), 128, f[1], f[2]));
        byte[] in = f[3];
        byte[] out = new byte[cipher.getOutputSize(in.length)];
        int done = cipher.processBytes(in, 0, in.length, out, 0);
        try {
            cipher.doFinal(out, done);
            return hex(out);
        } catch (InvalidCipherTextException altered) {
            return "!";
        }
    }

    private static String cbc(boolean seal, byte[] key, byte[] iv, byte[] in) {
        PaddedBufferedBlockCipher cipher =
            new PaddedBufferedBlockCipher(new CBCBlockCipher(new SM4Engine()), new PKCS7Padding());
        cipher.init(seal, new ParametersWithIV(new KeyParameter(key), iv));
        byte[] out = new byte[cipher.getOutputSize(in.length)];
        int done = cipher.processBytes(in, 0, in.length, out, 0);
        try {
            done += cipher.doFinal(out, done);
            return hex(Arrays.copyOf(out, done));
        } catch (InvalidCipherTextException | DataLengthException refused) {
            return "!";
        }
    }

    /** IEEE 1619 written out over BouncyCastle's block cipher; GB/T 17964 counts the tweak's bits as GHASH does. */
    private static String xts(boolean gb, boolean seal, byte[] keys, byte[] tweak, byte[] in) {
        BlockCipher data = new SM4Engine();
        BlockCipher second = new SM4Engine();
        data.init(seal, new KeyParameter(keys, 0, 16));
        second.init(true, new KeyParameter(keys, 16, 16));
        int whole = in.length / 16;
        int rest = in.length % 16;
        byte[][] tweaks = new byte[whole + 1][16];
        second.processBlock(tweak, 0, tweaks[0], 0);
        for (int i = 1; i <= whole; i++) {
            tweaks[i] = gb ? timesXGb(tweaks[i - 1]) : timesXIeee(tweaks[i - 1]);
        }
        byte[] out = new byte[in.length];
        for (int i = 0; i < whole; i++) {
            boolean stealing = rest > 0 && i == whole - 1;
            one(data, in, 16 * i, tweaks[stealing && !seal ? whole : i], out, 16 * i);
        }
        if (rest > 0) {
            int last = 16 * (whole - 1);
            byte[] block = Arrays.copyOfRange(out, last, last + 16);
            System.arraycopy(block, 0, out, last + 16, rest);
            System.arraycopy(in, last + 16, block, 0, rest);
            one(data, block, 0, tweaks[seal ? whole : whole - 1], out, last);
        }
        return hex(out);
    }

    private static void one(BlockCipher cipher, byte[] in, int from, byte[] tweak, byte[] out, int to) {
        byte[] block = new byte[16];
        for (int i = 0; i < 16; i++) block[i] = (byte) (in[from + i] ^ tweak[i]);
        cipher.processBlock(block, 0, block, 0);
        for (int i = 0; i < 16; i++) out[to + i] = (byte) (block[i] ^ tweak[i]);
    }

    /** Byte 0 holds the lowest bits, the lowest bit of a byte comes first. */
    private static byte[] timesXIeee(byte[] tweak) {
        byte[] out = new byte[16];
        int carry = 0;
        for (int i = 0; i < 16; i++) {
            int shifted = (tweak[i] & 0xff) << 1 | carry;
            out[i] = (byte) shifted;
            carry = shifted >> 8;
        }
        if (carry == 1) out[0] ^= (byte) 0x87;
        return out;
    }

    /** Byte 0 holds the lowest bits, the highest bit of a byte comes first. */
    private static byte[] timesXGb(byte[] tweak) {
        byte[] out = new byte[16];
        int carry = 0;
        for (int i = 0; i < 16; i++) {
            int value = tweak[i] & 0xff;
            out[i] = (byte) (value >> 1 | carry << 7);
            carry = value & 1;
        }
        if (carry == 1) out[0] ^= (byte) 0xe1;
        return out;
    }

    private static String ctr(byte[] key, byte[] counter, byte[] in) {
        SICBlockCipher cipher = new SICBlockCipher(new SM4Engine());
        cipher.init(true, new ParametersWithIV(new KeyParameter(key), counter));
        byte[] out = new byte[in.length];
        cipher.processBytes(in, 0, in.length, out, 0);
        return hex(out);
    }

    private static byte[] encrypt(byte[] sec1, byte[] message) throws Exception {
        SM2Engine engine = new SM2Engine(new SM3Digest(), SM2Engine.Mode.C1C3C2);
        engine.init(true, new ParametersWithRandom(publicKey(sec1), CryptoServicesRegistrar.getSecureRandom()));
        return engine.processBlock(message, 0, message.length);
    }

    private static String decrypt(byte[] d, byte[] cipherText) {
        SM2Engine engine = new SM2Engine(new SM3Digest(), SM2Engine.Mode.C1C3C2);
        engine.init(false, privateKey(d));
        try {
            return hex(engine.processBlock(cipherText, 0, cipherText.length));
        } catch (InvalidCipherTextException | RuntimeException refused) {
            return "!";
        }
    }

    /** 04, x, y, C3, C2 as SM2Cipher. */
    private static byte[] toDer(byte[] raw) throws Exception {
        ASN1EncodableVector parts = new ASN1EncodableVector();
        parts.add(new ASN1Integer(new BigInteger(1, Arrays.copyOfRange(raw, 1, 33))));
        parts.add(new ASN1Integer(new BigInteger(1, Arrays.copyOfRange(raw, 33, 65))));
        parts.add(new DEROctetString(Arrays.copyOfRange(raw, 65, 97)));
        parts.add(new DEROctetString(Arrays.copyOfRange(raw, 97, raw.length)));
        return new DERSequence(parts).getEncoded();
    }

    private static byte[] fromDer(byte[] der) {
        ASN1Sequence parts = ASN1Sequence.getInstance(der);
        byte[] x = BigIntegers.asUnsignedByteArray(32, ASN1Integer.getInstance(parts.getObjectAt(0)).getValue());
        byte[] y = BigIntegers.asUnsignedByteArray(32, ASN1Integer.getInstance(parts.getObjectAt(1)).getValue());
        byte[] c3 = ASN1OctetString.getInstance(parts.getObjectAt(2)).getOctets();
        byte[] c2 = ASN1OctetString.getInstance(parts.getObjectAt(3)).getOctets();
        return ByteBuffer.allocate(97 + c2.length).put((byte) 4).put(x).put(y).put(c3).put(c2).array();
    }

    private static String exchange(boolean initiator, byte[][] f) {
        SM2KeyExchange exchange = new SM2KeyExchange();
        exchange.init(new ParametersWithID(
            new SM2KeyExchangePrivateParameters(initiator, privateKey(f[0]), privateKey(f[1])), f[2]));
        ParametersWithID peer =
            new ParametersWithID(new SM2KeyExchangePublicParameters(publicKey(f[3]), publicKey(f[4])), f[5]);
        byte[] confirmation = initiator ? f[7] : null;
        try {
            byte[][] agreed = exchange.calculateKeyWithConfirmation(8 * number(f[6]), confirmation, peer);
            StringBuilder answer = new StringBuilder();
            for (byte[] part : agreed) answer.append(Hex.toHexString(part));
            return answer.toString();
        } catch (IllegalStateException refused) {
            return "!";
        }
    }

    private static String hex(byte[] bytes) {
        return bytes.length == 0 ? "-" : Hex.toHexString(bytes);
    }
}
