import java.io.File;
import java.math.BigInteger;
import java.nio.file.Files;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Security;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.util.Date;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EncryptedContentInfo;
import org.bouncycastle.asn1.cms.IssuerAndSerialNumber;
import org.bouncycastle.asn1.cms.KeyTransRecipientInfo;
import org.bouncycastle.asn1.cms.RecipientIdentifier;
import org.bouncycastle.asn1.cms.SignedData;
import org.bouncycastle.asn1.cms.SignerIdentifier;
import org.bouncycastle.asn1.cms.SignerInfo;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.OCSPReq;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cms.SignerInfoGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;
import java.util.Collections;

/**
 * Makes, with BouncyCastle, a small PKI and one of each structure in a folder that holds a request for a time stamp.
 *
 * <pre>java -cp bcprov.jar:bcpkix.jar:bcutil.jar Make.java FOLDER</pre>
 *
 * Everything is valid from 2020 to 2049 and was made at Unix second 1800000000.
 */
public final class Make {
    private static final Date NOT_BEFORE = new Date(1_577_836_800_000L);
    private static final Date NOT_AFTER = new Date(2_500_000_000_000L);
    private static final Date NOW = new Date(1_800_000_000_000L);
    private static final X500Name ROOT = new X500Name("CN=bc root,O=长春,C=CN");
    private static final byte[] CONTENT = "原文".getBytes(java.nio.charset.StandardCharsets.UTF_8);

    private final File folder;
    private final KeyPair rootKey = key();
    private final KeyPair leafKey = key();
    private final KeyPair tsaKey = key();
    private X509CertificateHolder root;
    private X509CertificateHolder leaf;
    private X509CertificateHolder tsa;

    private Make(File folder) throws Exception {
        this.folder = folder;
    }

    public static void main(String[] arguments) throws Exception {
        Security.insertProviderAt(new BouncyCastleProvider(), 1);
        Make make = new Make(new File(arguments[0]));
        make.certificates();
        make.request();
        make.list();
        make.ocsp();
        make.time();
        make.write("signed.der", make.signed(false));
        make.write("attributes.der", make.signed(true));
        make.enveloped();
    }

    private void write(String name, byte[] der) throws Exception {
        Files.write(new File(folder, name).toPath(), der);
    }

    private static KeyPair key() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(new ECGenParameterSpec("sm2p256v1"));
        return generator.generateKeyPair();
    }

    private static ContentSigner signer(PrivateKey key) throws Exception {
        return new JcaContentSignerBuilder("SM3withSM2").setProvider("BC").build(key);
    }

    private static AlgorithmIdentifier sm3() {
        return new AlgorithmIdentifier(GMObjectIdentifiers.sm3);
    }

    private static DigestCalculatorProvider digests() throws Exception {
        return new JcaDigestCalculatorProviderBuilder().build();
    }

    private X509v3CertificateBuilder certificate(X500Name subject, int serial, KeyPair key, int usage)
            throws Exception {
        X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
            ROOT, BigInteger.valueOf(serial), NOT_BEFORE, NOT_AFTER, subject, key.getPublic());
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
        return builder;
    }

    private void certificates() throws Exception {
        X509v3CertificateBuilder builder =
            certificate(ROOT, 1, rootKey, KeyUsage.keyCertSign | KeyUsage.cRLSign);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        root = builder.build(signer(rootKey.getPrivate()));
        int usage = KeyUsage.digitalSignature | KeyUsage.nonRepudiation | KeyUsage.keyEncipherment;
        builder = certificate(new X500Name("CN=bc leaf,OU=NDRC,O=CCG"), 2, leafKey, usage);
        builder.addExtension(Extension.subjectAlternativeName, false,
            new GeneralNames(new GeneralName(GeneralName.dNSName, "node1.cc.jl")));
        leaf = builder.build(signer(rootKey.getPrivate()));
        builder = certificate(new X500Name("CN=bc tsa"), 3, tsaKey, KeyUsage.digitalSignature);
        builder.addExtension(Extension.extendedKeyUsage, true,
            new ExtendedKeyUsage(KeyPurposeId.id_kp_timeStamping));
        tsa = builder.build(signer(rootKey.getPrivate()));
        write("root.der", root.getEncoded());
        write("leaf.der", leaf.getEncoded());
        write("leaf-key.der", leafKey.getPrivate().getEncoded());
    }

    private void request() throws Exception {
        PKCS10CertificationRequestBuilder builder = new JcaPKCS10CertificationRequestBuilder(
            new X500Name("CN=请求者,O=长春"), leafKey.getPublic());
        Extension names = new Extension(Extension.subjectAlternativeName, false,
            new GeneralNames(new GeneralName(GeneralName.dNSName, "node1.cc.jl")).getEncoded());
        builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, new Extensions(names));
        write("request.der", builder.build(signer(leafKey.getPrivate())).getEncoded());
    }

    private void list() throws Exception {
        X509v2CRLBuilder builder = new X509v2CRLBuilder(ROOT, NOW);
        builder.setNextUpdate(NOT_AFTER);
        builder.addCRLEntry(leaf.getSerialNumber(), NOW, CRLReason.cessationOfOperation);
        builder.addExtension(Extension.cRLNumber, false, new CRLNumber(BigInteger.valueOf(7)));
        write("list.der", builder.build(signer(rootKey.getPrivate())).getEncoded());
    }

    private void ocsp() throws Exception {
        CertificateID id = new CertificateID(digests().get(sm3()), root, leaf.getSerialNumber());
        OCSPReqBuilder request = new OCSPReqBuilder();
        request.addRequest(id);
        ASN1ObjectIdentifier nonce = new ASN1ObjectIdentifier("1.3.6.1.5.5.7.48.1.2");
        Extensions extensions = new Extensions(
            new Extension(nonce, false, new DEROctetString(new DEROctetString(new byte[32]))));
        request.setRequestExtensions(extensions);
        OCSPReq built = request.build();
        write("ocsp-request.der", built.getEncoded());
        BasicOCSPRespBuilder builder = new BasicOCSPRespBuilder(new RespID(ROOT));
        builder.addResponse(id, new RevokedStatus(NOW, CRLReason.superseded), NOW, NOT_AFTER);
        builder.setResponseExtensions(extensions);
        OCSPResp response = new OCSPRespBuilder().build(OCSPRespBuilder.SUCCESSFUL,
            builder.build(signer(rootKey.getPrivate()), null, NOW));
        write("ocsp.der", response.getEncoded());
    }

    private void time() throws Exception {
        TimeStampRequest request =
            new TimeStampRequest(Files.readAllBytes(new File(folder, "time-request.der").toPath()));
        SignerInfoGenerator generator = new JcaSignerInfoGeneratorBuilder(digests())
            .build(signer(tsaKey.getPrivate()),
                new JcaX509CertificateConverter().setProvider("BC").getCertificate(tsa));
        TimeStampTokenGenerator tokens = new TimeStampTokenGenerator(
            generator, digests().get(sm3()), new ASN1ObjectIdentifier("1.2.3.4"));
        tokens.addCertificates(new org.bouncycastle.util.CollectionStore<>(Collections.singletonList(tsa)));
        tokens.setAccuracyMillis(8);
        tokens.setTSA(new GeneralName(tsa.getSubject()));
        tokens.setResolution(TimeStampTokenGenerator.R_MILLISECONDS);
        TimeStampResponse response = new TimeStampResponseGenerator(
            tokens, Collections.singleton(GMObjectIdentifiers.sm3.getId()))
            .generate(request, BigInteger.valueOf(99), new Date(NOW.getTime() + 120));
        write("time.der", response.getEncoded());
    }

    private byte[] signed(boolean withAttributes) throws Exception {
        byte[] covered = CONTENT;
        DERSet attributes = null;
        ASN1ObjectIdentifier data = new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.1");
        if (withAttributes) {
            byte[] digest = MessageDigest.getInstance("SM3", "BC").digest(CONTENT);
            ASN1EncodableVector list = new ASN1EncodableVector();
            list.add(new Attribute(CMSAttributes.contentType, new DERSet(data)));
            list.add(new Attribute(CMSAttributes.messageDigest, new DERSet(new DEROctetString(digest))));
            attributes = new DERSet(list);
            covered = attributes.getEncoded(ASN1Encoding.DER);
        }
        Signature signature = Signature.getInstance("SM3withSM2", "BC");
        signature.initSign(leafKey.getPrivate());
        signature.update(covered);
        SignerInfo signer = new SignerInfo(
            new SignerIdentifier(new IssuerAndSerialNumber(leaf.toASN1Structure())), sm3(), attributes,
            new AlgorithmIdentifier(GMObjectIdentifiers.sm2sign), new DEROctetString(signature.sign()), null);
        SignedData signed = new SignedData(new DERSet(sm3()),
            new ContentInfo(data, new DEROctetString(CONTENT)),
            new DERSet(leaf.toASN1Structure()), null, new DERSet(signer));
        // RFC 5652 has version 3 for content other than its own; GB/T 35275 always 1.
        return new ContentInfo(new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.2"), version1(signed.toASN1Primitive()))
            .getEncoded(ASN1Encoding.DER);
    }

    private void enveloped() throws Exception {
        byte[] key = new byte[16];
        byte[] iv = new byte[16];
        new java.security.SecureRandom().nextBytes(key);
        new java.security.SecureRandom().nextBytes(iv);
        Cipher sm4 = Cipher.getInstance("SM4/CBC/PKCS7Padding", "BC");
        sm4.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "SM4"), new IvParameterSpec(iv));
        SM2Engine engine = new SM2Engine(SM2Engine.Mode.C1C3C2);
        engine.init(true, new ParametersWithRandom(
            PublicKeyFactory.createKey(leaf.getSubjectPublicKeyInfo())));
        byte[] cipher = engine.processBlock(key, 0, key.length);
        ASN1EncodableVector parts = new ASN1EncodableVector();
        parts.add(new ASN1Integer(new BigInteger(1, slice(cipher, 1, 33))));
        parts.add(new ASN1Integer(new BigInteger(1, slice(cipher, 33, 65))));
        parts.add(new DEROctetString(slice(cipher, 65, 97)));
        parts.add(new DEROctetString(slice(cipher, 97, cipher.length)));
        KeyTransRecipientInfo recipient = new KeyTransRecipientInfo(
            new RecipientIdentifier(new IssuerAndSerialNumber(leaf.toASN1Structure())),
            new AlgorithmIdentifier(GMObjectIdentifiers.sm2encrypt),
            new DEROctetString(new DERSequence(parts).getEncoded()));
        EncryptedContentInfo content = new EncryptedContentInfo(
            new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.1"),
            new AlgorithmIdentifier(GMObjectIdentifiers.sms4_cbc, new DEROctetString(iv)),
            new DEROctetString(sm4.doFinal(CONTENT)));
        ASN1EncodableVector list = new ASN1EncodableVector();
        list.add(new ASN1Integer(1));
        // RFC 5652 has version 0 here.
        list.add(new DERSet(version1(recipient.toASN1Primitive())));
        list.add(content);
        write("enveloped.der", new ContentInfo(
            new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.3"), new DERSequence(list))
            .getEncoded(ASN1Encoding.DER));
    }

    private static DERSequence version1(org.bouncycastle.asn1.ASN1Primitive structure) {
        org.bouncycastle.asn1.ASN1Sequence original = org.bouncycastle.asn1.ASN1Sequence.getInstance(structure);
        ASN1EncodableVector fields = new ASN1EncodableVector();
        fields.add(new ASN1Integer(1));
        for (int index = 1; index < original.size(); index++) {
            fields.add(original.getObjectAt(index));
        }
        return new DERSequence(fields);
    }

    private static byte[] slice(byte[] bytes, int from, int to) {
        return java.util.Arrays.copyOfRange(bytes, from, to);
    }
}
