import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1IA5String;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1TaggedObject;
import org.bouncycastle.asn1.ASN1UTF8String;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.jcajce.spec.SM2ParameterSpec;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.tsp.TimeStampToken;
import org.bouncycastle.cms.CMSSignedData;

/**
 * Takes a signature with an electronic seal of version 4 (GB/T 38540-2020) apart by BouncyCastle's ASN.1 and verifies both of
 * its signatures, its digest and its time stamp, without any code of ours.
 *
 * <pre>java -cp bcprov.jar:bcpkix.jar:bcutil.jar Seal.java SIGNED_VALUE DATA SEAL</pre>
 *
 * Prints the seal's name and "valid"; anything wrong is an exception.
 */
public final class Seal {
    private static final byte[] DEFAULT_ID = "1234567812345678".getBytes(StandardCharsets.US_ASCII);
    private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

    public static void main(String[] arguments) throws Exception {
        byte[] value = Files.readAllBytes(Path.of(arguments[0]));
        byte[] data = Files.readAllBytes(Path.of(arguments[1]));
        byte[] esl = Files.readAllBytes(Path.of(arguments[2]));

        ASN1Sequence signature = ASN1Sequence.getInstance(ASN1Primitive.fromByteArray(value));
        require(Arrays.equals(value, signature.getEncoded(ASN1Encoding.DER)), "the signature is not DER");
        ASN1Sequence toSign = ASN1Sequence.getInstance(signature.getObjectAt(0));
        X509Certificate signer = certificate(signature.getObjectAt(1));
        algorithm(signature.getObjectAt(2));
        byte[] signatureValue = bits(signature.getObjectAt(3));
        require(verify(signer, toSign.getEncoded(ASN1Encoding.DER), signatureValue), "the signature is wrong");

        require(integer(toSign.getObjectAt(0)) == 4, "not version 4");
        ASN1Sequence seal = ASN1Sequence.getInstance(toSign.getObjectAt(1));
        require(Arrays.equals(esl, seal.getEncoded(ASN1Encoding.DER)), "Seal.esl is another seal");
        ASN1GeneralizedTime.getInstance(toSign.getObjectAt(2)).getDate();
        byte[] digest = MessageDigest.getInstance("SM3", PROVIDER).digest(data);
        require(Arrays.equals(digest, bits(toSign.getObjectAt(3))), "the digest is wrong");
        ASN1IA5String.getInstance(toSign.getObjectAt(4));

        ASN1Sequence info = ASN1Sequence.getInstance(seal.getObjectAt(0));
        X509Certificate maker = certificate(seal.getObjectAt(1));
        algorithm(seal.getObjectAt(2));
        require(verify(maker, info.getEncoded(ASN1Encoding.DER), bits(seal.getObjectAt(3))), "the seal is wrong");

        ASN1Sequence head = ASN1Sequence.getInstance(info.getObjectAt(0));
        require(ASN1IA5String.getInstance(head.getObjectAt(0)).getString().equals("ES"), "no ES");
        require(integer(head.getObjectAt(1)) == 4, "not a seal of version 4");
        ASN1Sequence property = ASN1Sequence.getInstance(info.getObjectAt(2));
        boolean listed = false;
        for (Object one : ASN1Sequence.getInstance(property.getObjectAt(3))) {
            listed |= Arrays.equals(ASN1OctetString.getInstance(one).getOctets(), signer.getEncoded());
        }
        require(integer(property.getObjectAt(2)) == 1 && listed, "the signer is not listed");
        for (int at = 4; at < 7; at++) {
            ASN1GeneralizedTime.getInstance(property.getObjectAt(at)).getDate();
        }
        if (signature.size() > 4) {
            ASN1TaggedObject tagged = ASN1TaggedObject.getInstance(signature.getObjectAt(4));
            require(tagged.getTagNo() == 0, "not [0]");
            stamp(bits(tagged.getExplicitBaseObject()), signatureValue);
        }
        System.out.println(ASN1UTF8String.getInstance(property.getObjectAt(1)).getString());
        System.out.println("valid");
    }

    /** The token is over SM3 of the signature's bytes. */
    private static void stamp(byte[] der, byte[] signatureValue) throws Exception {
        TimeStampToken token = new TimeStampToken(new CMSSignedData(der));
        byte[] digest = MessageDigest.getInstance("SM3", PROVIDER).digest(signatureValue);
        require(Arrays.equals(digest, token.getTimeStampInfo().getMessageImprintDigest()), "a stamp of something else");
        X509CertificateHolder authority =
                (X509CertificateHolder) token.getCertificates().getMatches(token.getSID()).iterator().next();
        token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider(PROVIDER).build(authority));
    }

    private static boolean verify(X509Certificate certificate, byte[] message, byte[] signature) throws Exception {
        Signature verifier = Signature.getInstance("SM3withSM2", PROVIDER);
        verifier.setParameter(new SM2ParameterSpec(DEFAULT_ID));
        verifier.initVerify(certificate.getPublicKey());
        verifier.update(message);
        return verifier.verify(signature);
    }

    private static X509Certificate certificate(Object wrapped) throws Exception {
        byte[] der = ASN1OctetString.getInstance(wrapped).getOctets();
        return (X509Certificate) CertificateFactory.getInstance("X.509", PROVIDER)
                .generateCertificate(new ByteArrayInputStream(der));
    }

    private static void algorithm(Object found) {
        require(ASN1ObjectIdentifier.getInstance(found).getId().equals("1.2.156.10197.1.501"), "not SM2 with SM3");
    }

    private static byte[] bits(Object found) {
        return ASN1BitString.getInstance(found).getOctets();
    }

    private static int integer(Object found) {
        return ASN1Integer.getInstance(found).intValueExact();
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
