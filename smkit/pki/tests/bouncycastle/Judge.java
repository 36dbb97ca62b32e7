import java.io.File;
import java.math.BigInteger;
import java.nio.file.Files;
import java.security.Security;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EnvelopedData;
import org.bouncycastle.asn1.cms.KeyTransRecipientInfo;
import org.bouncycastle.asn1.cms.RecipientInfo;
import org.bouncycastle.asn1.cms.SignedData;
import org.bouncycastle.asn1.cms.SignerInfo;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.cert.X509CRLEntryHolder;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.OCSPReq;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentVerifierProvider;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.util.BigIntegers;
import org.bouncycastle.util.encoders.Hex;

/**
 * Judges, with BouncyCastle, the files of one folder: what is there, is what it should be.
 *
 * <pre>java -cp bcprov.jar:bcpkix.jar:bcutil.jar Judge.java FOLDER</pre>
 *
 * Prints a line for each file, its name and what was found in it; exits 0 if none was refused, 1 otherwise.
 */
public final class Judge {
    private final File folder;
    private final X509CertificateHolder root;
    private final X509CertificateHolder leaf;

    private Judge(File folder) throws Exception {
        this.folder = folder;
        this.root = new X509CertificateHolder(read("root.der"));
        this.leaf = new X509CertificateHolder(read("leaf.der"));
    }

    public static void main(String[] arguments) throws Exception {
        Security.insertProviderAt(new BouncyCastleProvider(), 1);
        Judge judge = new Judge(new File(arguments[0]));
        boolean good = true;
        String[] names = judge.folder.list();
        Arrays.sort(names);
        for (String name : names) {
            String found;
            try {
                found = judge.judge(name);
            } catch (Exception refusal) {
                good = false;
                found = "refused: " + refusal;
            }
            if (found != null) {
                System.out.println(name + " " + found);
            }
        }
        System.exit(good ? 0 : 1);
    }

    private String judge(String name) throws Exception {
        switch (name) {
            case "request.der": return request();
            case "list.der": return list();
            case "ocsp.der": return ocsp(new JcaContentVerifierProviderBuilder().setProvider("BC").build(root));
            case "delegated.der": return delegated();
            case "time.der": return time();
            case "signed.der": return signed(read(name));
            case "attributes.der": return signed(read(name));
            case "enveloped.der": return enveloped();
            default: return null;
        }
    }

    private byte[] read(String name) throws Exception {
        return Files.readAllBytes(new File(folder, name).toPath());
    }

    private String request() throws Exception {
        PKCS10CertificationRequest request = new PKCS10CertificationRequest(read("request.der"));
        require(request.isSignatureValid(
            new JcaContentVerifierProviderBuilder().setProvider("BC").build(request.getSubjectPublicKeyInfo())));
        return request.getSubject().toString();
    }

    private String list() throws Exception {
        X509CRLHolder list = new X509CRLHolder(read("list.der"));
        require(list.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(root)));
        X509CRLEntryHolder entry = list.getRevokedCertificate(leaf.getSerialNumber());
        return "number " + ASN1Integer.getInstance(list.getExtension(Extension.cRLNumber).getParsedValue())
            + ", entry " + org.bouncycastle.asn1.ASN1Enumerated.getInstance(
                entry.getExtension(Extension.reasonCode).getParsedValue()).getValue();
    }

    private String delegated() throws Exception {
        BasicOCSPResp response = (BasicOCSPResp) new OCSPResp(read("delegated.der")).getResponseObject();
        X509CertificateHolder responder = response.getCerts()[0];
        require(responder.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(root)));
        require(response.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(responder)));
        return "valid";
    }

    private String ocsp(ContentVerifierProvider verifier) throws Exception {
        OCSPReq request = new OCSPReq(read("ocsp-request.der"));
        OCSPResp outer = new OCSPResp(read("ocsp.der"));
        require(outer.getStatus() == 0);
        BasicOCSPResp response = (BasicOCSPResp) outer.getResponseObject();
        require(response.isSignatureValid(verifier));
        DigestCalculator sm3 = new JcaDigestCalculatorProviderBuilder().build()
            .get(new AlgorithmIdentifier(GMObjectIdentifiers.sm3));
        CertificateID id = new CertificateID(sm3, root, leaf.getSerialNumber());
        require(request.getRequestList()[0].getCertID().equals(id));
        require(response.getResponses()[0].getCertID().equals(id));
        ASN1ObjectIdentifier nonce = new ASN1ObjectIdentifier("1.3.6.1.5.5.7.48.1.2");
        require(request.getExtension(nonce).equals(response.getExtension(nonce)));
        RevokedStatus status = (RevokedStatus) response.getResponses()[0].getCertStatus();
        return "revoked, reason " + status.getRevocationReason();
    }

    private String time() throws Exception {
        TimeStampRequest request = new TimeStampRequest(read("time-request.der"));
        TimeStampResponse response = new TimeStampResponse(read("time.der"));
        response.validate(request);
        X509CertificateHolder authority = new X509CertificateHolder(read("tsa.der"));
        response.getTimeStampToken().validate(
            new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(authority));
        return response.getTimeStampToken().getTimeStampInfo().getGenTime().toInstant() + " within "
            + response.getTimeStampToken().getTimeStampInfo().getGenTimeAccuracy().getMillis() + " ms";
    }

    /** BouncyCastle's own verifier does not know the identifiers of GB/T 35275, so this is that standard by hand. */
    private String signed(byte[] der) throws Exception {
        ContentInfo outer = ContentInfo.getInstance(der);
        require(outer.getContentType().getId().equals("1.2.156.10197.6.1.4.2.2"));
        SignedData data = SignedData.getInstance(outer.getContent());
        require(data.getEncapContentInfo().getContentType().getId().equals("1.2.156.10197.6.1.4.2.1"));
        byte[] content = ASN1OctetString.getInstance(data.getEncapContentInfo().getContent()).getOctets();
        X509CertificateHolder certificate =
            new X509CertificateHolder(data.getCertificates().getObjectAt(0).toASN1Primitive().getEncoded());
        require(certificate.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(root)));
        SignerInfo signer = SignerInfo.getInstance(data.getSignerInfos().getObjectAt(0));
        require(signer.getDigestEncryptionAlgorithm().getAlgorithm().equals(GMObjectIdentifiers.sm2sign));
        byte[] covered = content;
        ASN1Set attributes = signer.getAuthenticatedAttributes();
        if (attributes != null) {
            Attribute digest = new AttributeTable(attributes).get(CMSAttributes.messageDigest);
            byte[] stated = ASN1OctetString.getInstance(digest.getAttrValues().getObjectAt(0)).getOctets();
            byte[] computed = java.security.MessageDigest.getInstance("SM3", "BC").digest(content);
            require(Arrays.equals(stated, computed));
            covered = attributes.getEncoded(ASN1Encoding.DER);
        }
        X509Certificate key = new JcaX509CertificateConverter().setProvider("BC").getCertificate(certificate);
        Signature verifier = Signature.getInstance("SM3withSM2", "BC");
        verifier.initVerify(key.getPublicKey());
        verifier.update(covered);
        require(verifier.verify(signer.getEncryptedDigest().getOctets()));
        return "signed " + Hex.toHexString(content);
    }

    private String enveloped() throws Exception {
        ContentInfo outer = ContentInfo.getInstance(read("enveloped.der"));
        require(outer.getContentType().getId().equals("1.2.156.10197.6.1.4.2.3"));
        EnvelopedData data = EnvelopedData.getInstance(outer.getContent());
        RecipientInfo recipient = RecipientInfo.getInstance(data.getRecipientInfos().getObjectAt(0));
        KeyTransRecipientInfo info = KeyTransRecipientInfo.getInstance(recipient.getInfo());
        require(info.getKeyEncryptionAlgorithm().getAlgorithm().equals(GMObjectIdentifiers.sm2encrypt));
        ASN1Sequence parts = ASN1Sequence.getInstance(info.getEncryptedKey().getOctets());
        byte[] cipher = org.bouncycastle.util.Arrays.concatenate(new byte[][] {
            {4}, coordinate(parts, 0), coordinate(parts, 1), octets(parts, 2), octets(parts, 3)});
        SM2Engine engine = new SM2Engine(SM2Engine.Mode.C1C3C2);
        engine.init(false, (ECPrivateKeyParameters) PrivateKeyFactory.createKey(
            PrivateKeyInfo.getInstance(read("recipient-key.der"))));
        byte[] key = engine.processBlock(cipher, 0, cipher.length);
        AlgorithmIdentifier algorithm = data.getEncryptedContentInfo().getContentEncryptionAlgorithm();
        require(algorithm.getAlgorithm().equals(GMObjectIdentifiers.sms4_cbc));
        byte[] iv = ASN1OctetString.getInstance(algorithm.getParameters()).getOctets();
        Cipher sm4 = Cipher.getInstance("SM4/CBC/PKCS7Padding", "BC");
        sm4.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "SM4"), new IvParameterSpec(iv));
        byte[] content = sm4.doFinal(data.getEncryptedContentInfo().getEncryptedContent().getOctets());
        return "holds " + Hex.toHexString(content);
    }

    private static byte[] coordinate(ASN1Sequence parts, int index) {
        BigInteger value = ASN1Integer.getInstance(parts.getObjectAt(index)).getPositiveValue();
        return BigIntegers.asUnsignedByteArray(32, value);
    }

    private static byte[] octets(ASN1Sequence parts, int index) {
        return ASN1OctetString.getInstance(parts.getObjectAt(index)).getOctets();
    }

    private static void require(boolean condition) {
        if (!condition) {
            throw new IllegalStateException("not so");
        }
    }
}
