import java.io.BufferedReader;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.modes.GCMBlockCipher;
import org.bouncycastle.crypto.modes.SICBlockCipher;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithID;
import org.bouncycastle.crypto.params.ParametersWithIV;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.signers.PlainDSAEncoding;
import org.bouncycastle.crypto.signers.SM2Signer;
import org.bouncycastle.crypto.CryptoServicesRegistrar;
import org.bouncycastle.asn1.gm.GMNamedCurves;
import org.bouncycastle.asn1.x9.X9ECParameters;
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
            case "gcm-seal": return gcm(true, f[0], f[1], f[2], f[3]);
            case "gcm-open": return gcm(false, f[0], f[1], f[2], f[3]);
            case "ctr": return ctr(f[0], f[1], f[2]);
            case "encrypt": return encrypt(f[0], f[1]);
            case "decrypt": return decrypt(f[0], f[1]);
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

    private static String gcm(boolean seal, byte[] key, byte[] nonce, byte[] aad, byte[] in) {
        GCMBlockCipher cipher = new GCMBlockCipher(new SM4Engine());
        cipher.init(seal, new AEADParameters(new KeyParameter(key), 128, nonce, aad));
        byte[] out = new byte[cipher.getOutputSize(in.length)];
        int done = cipher.processBytes(in, 0, in.length, out, 0);
        try {
            cipher.doFinal(out, done);
            return hex(out);
        } catch (InvalidCipherTextException altered) {
            return "!";
        }
    }

    private static String ctr(byte[] key, byte[] counter, byte[] in) {
        SICBlockCipher cipher = new SICBlockCipher(new SM4Engine());
        cipher.init(true, new ParametersWithIV(new KeyParameter(key), counter));
        byte[] out = new byte[in.length];
        cipher.processBytes(in, 0, in.length, out, 0);
        return hex(out);
    }

    private static String encrypt(byte[] sec1, byte[] message) throws Exception {
        SM2Engine engine = new SM2Engine(new SM3Digest(), SM2Engine.Mode.C1C3C2);
        engine.init(true, new ParametersWithRandom(publicKey(sec1), CryptoServicesRegistrar.getSecureRandom()));
        return hex(engine.processBlock(message, 0, message.length));
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

    private static String hex(byte[] bytes) {
        return bytes.length == 0 ? "-" : Hex.toHexString(bytes);
    }
}
