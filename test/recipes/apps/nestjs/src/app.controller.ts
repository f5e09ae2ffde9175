// What the tests ask of every app, as api.ts responds to it.
// Change it when Nest hands requests and responses to handlers in another way.
import { pipeline } from 'node:stream/promises';
import { All, Controller, Get, Req, Res } from '@nestjs/common';
import type { Request as Incoming, Response as Outgoing } from 'express';
import { api } from '../api.ts';
import { Sessions } from '../sessions/src/session/sessions.ts';

@Controller('api')
export class AppController {
  constructor(private readonly sessions: Sessions) {}

  @Get('devices')
  async countDevices(@Req() { session }: Incoming): Promise<{ count: number }> {
    return { count: (await this.sessions.list(session.userid ?? '')).length };
  }

  @All(':name')
  async respond(@Req() incoming: Incoming, @Res() outgoing: Outgoing): Promise<void> {
    const { method, originalUrl } = incoming;
    const request = new Request(new URL(originalUrl, 'http://localhost'), { method });
    const { status, headers, body } = await api(request, () => incoming.session);
    outgoing.status(status).setHeaders(headers);
    await pipeline(body ?? [], outgoing);
  }
}
