/** Child process that makes the segments of one rendition, or of several pictures of one track. Its contract is rendition.port.ts. */
import { DecodeSharing } from '#engine/av/picture-source.ts';
import { serveRenditions } from './rendition-server.ts';

serveRenditions(new DecodeSharing());
