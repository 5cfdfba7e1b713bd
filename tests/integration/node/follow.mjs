// Follows shapes with the official client and says what it holds, a line of JSON for each line that comes in.
//
//     node follow.mjs '[{"name": "free", "url": "http://.../shape", "params": {"table": "beds"}}]'
//
// A shape may have "headers" and "liveSse". What is said of it: its rows, whether it is up to date, how often it had
// to begin anew, how many live requests it made and what went wrong.
import { createInterface } from 'node:readline'
import { Shape, ShapeStream, isControlMessage } from '@electric-sql/client'

const told = JSON.parse(process.argv[2]).map(({ name, ...options }) => {
  const said = { name, refetches: 0, requests: 0, errors: [] }
  const stream = new ShapeStream({
    ...options,
    fetchClient: (...request) => {
      said.requests += 1
      return fetch(...request)
    },
    backoffOptions: { initialDelay: 100, maxDelay: 500, multiplier: 1.5 },
    onError: (error) => {
      said.errors.push(String(error.message ?? error))
    },
  })
  const shape = new Shape(stream)
  stream.subscribe((messages) => {
    said.refetches += messages.filter((each) => isControlMessage(each) && each.headers.control === 'must-refetch').length
  })
  return { said, shape }
})

const plain = (_, value) => (typeof value === 'bigint' ? String(value) : value)

createInterface({ input: process.stdin })
  .on('line', () => {
    const shapes = told.map(({ said, shape }) => ({ ...said, upToDate: shape.isUpToDate, rows: shape.currentRows }))
    process.stdout.write(`${JSON.stringify(shapes, plain)}\n`)
  })
  .on('close', () => process.exit(0))
