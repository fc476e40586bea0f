/** A policy whose administration is granted by itself: alice may do everything but what is for operators, bob a little. */
export const adminPolicy = `version: 1
types:
  doc: { actions: [read, write, delete, grant, create, move, read_policy], parents: [folder] }
  folder: {}
roles:
  admin: { permissions: ['*'] }
  viewer: { permissions: ['doc:read'] }
  editor: { includes: [viewer], permissions: ['doc:write'] }
  owner: { permissions: ['doc:*'] }
groups:
  ops: ['user:carol']
objects:
  'folder:plans': {}
  'folder:archive': {}
  'doc:1': 'folder:plans'
bindings:
  - { subject: 'user:alice', role: admin, scope: '*' }
  - { subject: 'user:bob', role: owner, scope: 'doc:1' }
  - { subject: 'user:dave', role: viewer, scope: 'doc:1' }
  - { subject: 'user:mallory', role: editor, scope: '*', effect: deny }
hooks:
  doc: [{ role: owner, subject: creator }]
`;
