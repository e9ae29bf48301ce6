// A wallet that takes one offer: the OpenWallet Foundation's OID4VCI client does all of the protocol.
//
//   node wallet.mjs [--jwt] [--p256] [--code=DIGITS] OFFER_LINK
//
// Prints {"valid", "holder", "version", "credential", "problems"}; exit status 1 when nothing was got.
import {createHash, randomBytes} from 'node:crypto';
import {Openid4vciClient, Openid4vciVersion, setGlobalConfig} from '@openid4vc/openid4vci';
import {clientAuthenticationAnonymous} from '@openid4vc/oauth2';
import {SignJWT, exportJWK, generateKeyPair} from 'jose';

setGlobalConfig({allowInsecureUrls: true}); // the issuer under test is on loopback
const given = process.argv.slice(2);
const flag = (name) => given.includes(name);
const link = given.find((one) => !one.startsWith('--'));
const txCode = given.find((one) => one.startsWith('--code='))?.slice('--code='.length);
const alg = flag('--p256') ? 'ES256' : 'EdDSA';
const {publicKey, privateKey} = await generateKeyPair(alg, {extractable: true, ...(alg === 'EdDSA' && {crv: 'Ed25519'})});
const jwk = await exportJWK(publicKey);
const did = `did:jwk:${Buffer.from(JSON.stringify(jwk)).toString('base64url')}`;

const client = new Openid4vciClient({
  callbacks: {
    fetch,
    generateRandom: (length) => randomBytes(length),
    hash: (data, name) => createHash(name.replace('-', '')).update(data).digest(),
    clientAuthentication: clientAuthenticationAnonymous(),
    signJwt: async (signer, {header, payload}) => ({
      jwt: await new SignJWT(payload).setProtectedHeader(header).sign(privateKey),
      signerJwk: jwk,
    }),
    verifyJwt: () => { throw new Error('nothing to verify'); },
    encryptJwe: () => { throw new Error('nothing to encrypt'); },
    decryptJwe: () => { throw new Error('nothing to decrypt'); },
  },
});

try {
  const credentialOffer = await client.resolveCredentialOffer(link);
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const {accessTokenResponse} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode,
  });
  const wanted = credentialOffer.credential_configuration_ids.find(
    (id) => id.endsWith('jwt_vc_json') === flag('--jwt'),
  );
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  const {jwt} = await client.createCredentialRequestJwtProof({
    issuerMetadata, nonce, credentialConfigurationId: wanted,
    signer: {method: 'did', didUrl: `${did}#0`, alg},
  });
  const {credentialResponse} = await client.retrieveCredentials({
    issuerMetadata, credentialConfigurationId: wanted, proofs: {jwt: [jwt]},
    accessToken: accessTokenResponse.access_token,
  });
  const [{credential}] = credentialResponse.credentials;
  const version = Object.entries(Openid4vciVersion).find(([, value]) => value === issuerMetadata.originalDraftVersion);
  console.log(JSON.stringify({valid: true, holder: did, version: version?.[1], credential, problems: []}));
} catch (error) {
  console.log(JSON.stringify({valid: false, holder: did, problems: [String(error.message ?? error)]}));
  process.exitCode = 1;
}
