/** A small policy with a bit of everything that the command line prints. */
export const examplePolicy = `version: 1
types:
  doc: { actions: [read, write, delete], parents: [folder] }
  folder: {}
roles:
  viewer: { permissions: ['doc:read'] }
  editor: { includes: [viewer], permissions: ['doc:write'] }
  creator: { permissions: ['app:create'] }
groups:
  ops: ['user:alice', 'group:sre']
  sre: ['user:carol']
objects:
  'folder:reports': {}
  'doc:42': 'folder:reports'
  'doc:43': 'folder:reports'
bindings:
  - { subject: 'group:ops', role: editor, scope: 'folder:reports' }
  - { subject: 'user:*', role: viewer, scope: 'doc:public-*' }
  - { subject: 'user:mallory', role: editor, scope: '*', effect: deny }
  - { subject: 'user:bob', role: creator, scope: '*' }
  - { subject: 'user:frank', role: creator, scope: '*', condition: 'context.level > 1' }
`;
