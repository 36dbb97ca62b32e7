import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigInteger;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.URL;
import java.nio.file.Files;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.concurrent.atomic.AtomicLong;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampToken;
import org.bouncycastle.tsp.TimeStampTokenGenerator;
import org.bouncycastle.util.CollectionStore;

/**
 * Asks a running time-stamp authority and judges its token, or is one, with BouncyCastle.
 *
 * <pre>java -cp bcprov.jar:bcpkix.jar:bcutil.jar TimeStamps.java ask URL ROOT.pem TSA.pem POLICY
 * java -cp … TimeStamps.java serve FOLDER</pre>
 *
 * `serve` writes `root.pem` into the folder, prints its port, and answers until its standard input ends.
 */
public final class TimeStamps {
    private static final String POLICY = "1.2.156.3.4";

    public static void main(String[] arguments) throws Exception {
        Security.insertProviderAt(new BouncyCastleProvider(), 1);
        if (arguments[0].equals("ask")) {
            X509CertificateHolder root = pem(arguments[2]);
            X509CertificateHolder tsa = pem(arguments[3]);
            for (boolean certificates : new boolean[] {true, false}) {
                ask(arguments[1], root, tsa, arguments[4], certificates);
            }
            refused(arguments[1]);
        } else {
            serve(new File(arguments[1]));
        }
    }

    private static X509CertificateHolder pem(String file) throws Exception {
        try (InputStream in = Files.newInputStream(new File(file).toPath())) {
            return new X509CertificateHolder(
                java.security.cert.CertificateFactory.getInstance("X.509", "BC").generateCertificate(in).getEncoded());
        }
    }

    private static byte[] sm3(byte[] bytes) throws Exception {
        return MessageDigest.getInstance("SM3", "BC").digest(bytes);
    }

    private static byte[] post(String url, byte[] query) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        connection.setDoOutput(true);
        connection.setConnectTimeout(20_000);
        connection.setReadTimeout(20_000);
        connection.setRequestProperty("Content-Type", "application/timestamp-query");
        connection.getOutputStream().write(query);
        require(connection.getResponseCode() == 200, "status " + connection.getResponseCode());
        require("application/timestamp-reply".equals(connection.getContentType()), connection.getContentType());
        return connection.getInputStream().readAllBytes();
    }

    private static void ask(String url, X509CertificateHolder root, X509CertificateHolder tsa, String policy,
            boolean certificates) throws Exception {
        TimeStampRequestGenerator requests = new TimeStampRequestGenerator();
        requests.setCertReq(certificates);
        requests.setReqPolicy(new ASN1ObjectIdentifier(policy));
        byte[] digest = sm3("a deed".getBytes("UTF-8"));
        BigInteger nonce = new BigInteger(64, new SecureRandom());
        TimeStampRequest request = requests.generate(GMObjectIdentifiers.sm3, digest, nonce);
        long before = System.currentTimeMillis();
        TimeStampResponse response = new TimeStampResponse(post(url, request.getEncoded()));
        long after = System.currentTimeMillis();
        // Status, imprint, nonce, policy, the attribute that names the certificate.
        response.validate(request);
        TimeStampToken token = response.getTimeStampToken();
        token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(tsa));
        require(tsa.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(root)), "chain");
        Extension usage = tsa.getExtension(Extension.extendedKeyUsage);
        require(usage.isCritical(), "extended key usage is not critical");
        KeyPurposeId[] purposes = ExtendedKeyUsage.getInstance(usage.getParsedValue()).getUsages();
        require(Arrays.equals(purposes, new KeyPurposeId[] {KeyPurposeId.id_kp_timeStamping}), "purposes");
        Attribute named = token.getSignedAttributes().get(PKCSObjectIdentifiers.id_aa_signingCertificateV2);
        ESSCertIDv2 id = SigningCertificateV2.getInstance(named.getAttributeValues()[0]).getCerts()[0];
        require(id.getHashAlgorithm().getAlgorithm().equals(GMObjectIdentifiers.sm3), "not named by SM3");
        require(Arrays.equals(id.getCertHash(), sm3(tsa.getEncoded())), "another certificate is named");
        require(nonce.equals(token.getTimeStampInfo().getNonce()), "nonce");
        require(policy.equals(token.getTimeStampInfo().getPolicy().getId()), "policy");
        long at = token.getTimeStampInfo().getGenTime().getTime();
        require(before - 1_000 <= at && at <= after + 1_000, "time " + at);
        int sent = token.getCertificates().getMatches(null).size();
        require(certificates ? sent >= 1 : sent == 0, sent + " certificates");
        System.out.println("valid, certificates: " + (sent > 0));
    }

    /** An imprint with SHA-256 is refused by name. */
    private static void refused(String url) throws Exception {
        TimeStampRequest request = new TimeStampRequestGenerator().generate(
            org.bouncycastle.asn1.nist.NISTObjectIdentifiers.id_sha256, new byte[32], BigInteger.TEN);
        TimeStampResponse response = new TimeStampResponse(post(url, request.getEncoded()));
        require(response.getStatus() == 2 && response.getTimeStampToken() == null, "status " + response.getStatus());
        System.out.println("refused, failure bits: " + response.getFailInfo().intValue());
    }

    private static KeyPair key() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(new ECGenParameterSpec("sm2p256v1"));
        return generator.generateKeyPair();
    }

    private static ContentSigner signer(KeyPair key) throws Exception {
        return new JcaContentSignerBuilder("SM3withSM2").setProvider("BC").build(key.getPrivate());
    }

    private static void serve(File folder) throws Exception {
        Date from = new Date(System.currentTimeMillis() - 86_400_000L);
        Date to = new Date(System.currentTimeMillis() + 86_400_000L);
        X500Name authority = new X500Name("CN=bc root,O=长春,C=CN");
        KeyPair rootKey = key();
        X509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
            authority, BigInteger.ONE, from, to, authority, rootKey.getPublic());
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        X509CertificateHolder root = builder.build(signer(rootKey));
        KeyPair key = key();
        builder = new JcaX509v3CertificateBuilder(
            authority, BigInteger.TWO, from, to, new X500Name("CN=bc tsa"), key.getPublic());
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
        builder.addExtension(Extension.extendedKeyUsage, true,
            new ExtendedKeyUsage(KeyPurposeId.id_kp_timeStamping));
        X509CertificateHolder tsa = builder.build(signer(rootKey));
        String text = "-----BEGIN CERTIFICATE-----\n"
            + java.util.Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(root.getEncoded())
            + "\n-----END CERTIFICATE-----\n";
        Files.write(new File(folder, "root.pem").toPath(), text.getBytes("UTF-8"));

        AtomicLong serial = new AtomicLong(99);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/tsa", exchange -> {
            try {
                byte[] answer = stamp(exchange.getRequestBody().readAllBytes(), key, tsa, serial.incrementAndGet());
                exchange.getResponseHeaders().add("Content-Type", "application/timestamp-reply");
                exchange.sendResponseHeaders(200, answer.length);
                try (OutputStream out = exchange.getResponseBody()) {
                    out.write(answer);
                }
            } catch (Exception error) {
                throw new java.io.IOException(error);
            }
        });
        server.start();
        System.out.println(server.getAddress().getPort());
        System.out.flush();
        System.in.readAllBytes();
        server.stop(0);
    }

    private static byte[] stamp(byte[] query, KeyPair key, X509CertificateHolder tsa, long serial) throws Exception {
        DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().build();
        TimeStampTokenGenerator tokens = new TimeStampTokenGenerator(
            new JcaSignerInfoGeneratorBuilder(digests).build(signer(key),
                new JcaX509CertificateConverter().setProvider("BC").getCertificate(tsa)),
            digests.get(new AlgorithmIdentifier(GMObjectIdentifiers.sm3)), new ASN1ObjectIdentifier(POLICY));
        tokens.addCertificates(new CollectionStore<>(Collections.singletonList(tsa)));
        tokens.setAccuracyMillis(8);
        tokens.setTSA(new GeneralName(tsa.getSubject()));
        tokens.setResolution(TimeStampTokenGenerator.R_MILLISECONDS);
        Collection<String> accepted = new ArrayList<>(Collections.singletonList(GMObjectIdentifiers.sm3.getId()));
        return new TimeStampResponseGenerator(tokens, new java.util.HashSet<>(accepted))
            .generate(new TimeStampRequest(query), BigInteger.valueOf(serial), new Date()).getEncoded();
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }
}
