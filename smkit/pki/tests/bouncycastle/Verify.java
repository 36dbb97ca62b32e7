import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import org.bouncycastle.jcajce.spec.SM2ParameterSpec;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.util.encoders.Hex;

/**
 * Verifies an SM2 signature with BouncyCastle and the default signer identity.
 *
 * <pre>java -cp bcprov.jar:bcpkix.jar:bcutil.jar Verify.java MESSAGE SIGNATURE_HEX CERTIFICATE.pem [ISSUER.pem]</pre>
 *
 * MESSAGE is taken as UTF-8. With an issuer, the certificate's own signature is verified first. Prints "valid" and
 * exits 0, or prints "invalid" and exits 1; any other exit means that the check could not be made.
 */
public final class Verify {
    private static final byte[] DEFAULT_ID = "1234567812345678".getBytes(StandardCharsets.US_ASCII);

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 3 || arguments.length > 4) {
            System.err.println("usage: Verify.java MESSAGE SIGNATURE_HEX CERTIFICATE.pem [ISSUER.pem]");
            System.exit(2);
        }
        BouncyCastleProvider provider = new BouncyCastleProvider();
        X509Certificate certificate = read(arguments[2], provider);
        if (arguments.length == 4) {
            certificate.verify(read(arguments[3], provider).getPublicKey(), provider);
        }
        Signature verifier = Signature.getInstance("SM3withSM2", provider);
        verifier.setParameter(new SM2ParameterSpec(DEFAULT_ID));
        verifier.initVerify(certificate.getPublicKey());
        verifier.update(arguments[0].getBytes(StandardCharsets.UTF_8));
        boolean valid = verifier.verify(Hex.decode(arguments[1]));
        System.out.println(valid ? "valid" : "invalid");
        System.exit(valid ? 0 : 1);
    }

    private static X509Certificate read(String path, BouncyCastleProvider provider) throws Exception {
        try (FileInputStream in = new FileInputStream(path)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509", provider).generateCertificate(in);
        }
    }
}
