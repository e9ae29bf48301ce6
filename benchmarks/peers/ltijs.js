// A tool on ltijs 5.9.9 with PostgreSQL. BENCH_PEER (JSON): port, pg_port, database, issuer, client_id, platforms
// (addresses). The first platform launches; POST /send?n=..&at_once=.. sends scores to all of them in turn.
const { Provider: lti } = require('ltijs')
const Database = require('ltijs-sequelize')

const given = JSON.parse(process.env.BENCH_PEER)

async function send (count, atOnce) {
  let next = 0
  const failures = []
  const one = async () => {
    while (next < count) {
      const i = next++
      const at = i % given.platforms.length
      const token = { iss: issuer(at), clientId: given.client_id, user: 'person-' + i }
      const score = { userId: 'person-' + i, scoreGiven: i % 101, scoreMaximum: 100, activityProgress: 'Completed', gradingProgress: 'FullyGraded' }
      try {
        await lti.Grade.submitScore(token, given.platforms[at] + '/lineitems/1', score)
      } catch (error) { failures.push(String(error)) }
    }
  }
  const cpu = process.cpuUsage()
  const started = process.hrtime.bigint()
  await Promise.all(Array.from({ length: atOnce }, one))
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  const used = process.cpuUsage(cpu)
  return { seconds, cpu: (used.user + used.system) / 1e6, failures: failures.slice(0, 3), failed: failures.length }
}

function issuer (at) { return at === 0 ? given.issuer : given.issuer + '/' + at }

async function main () {
  const plugin = new Database(given.database, 'postgres', '', { host: '127.0.0.1', port: given.pg_port, dialect: 'postgres', logging: false, pool: { max: 10 } })
  lti.setup('benchmark key', { plugin }, { appRoute: '/launch', loginRoute: '/login', cookies: { secure: false, sameSite: 'Lax' }, devMode: false, tokenMaxAge: 3600 })
  lti.onConnect((token, req, res) => res.send('<!doctype html><title>' + res.locals.context.resource.title + '</title>'))
  lti.whitelist('/ping', '/send')
  lti.app.get('/ping', (req, res) => res.send('pong'))
  lti.app.post('/send', async (req, res) => res.json(await send(+req.query.n, +req.query.at_once)))
  await lti.deploy({ port: given.port, silent: true })
  for (const [at, address] of given.platforms.entries()) {
    await lti.registerPlatform({ url: issuer(at), name: 'platform ' + at, clientId: given.client_id, authenticationEndpoint: address + '/auth', accesstokenEndpoint: address + '/token', authConfig: { method: 'JWK_SET', key: address + '/jwks' } })
  }
  console.log('ready')
}

main()
