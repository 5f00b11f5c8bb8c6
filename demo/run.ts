import { CLOCK_END } from './cast.ts';
import { provenStreams } from './checks.ts';
import { checkWallet, checkYear } from './expectations.ts';
import { invoiceSheet } from './invoice-sheet.ts';
import { bold, dim, green, heading, print } from './layout.ts';
import {
  showBoundaries,
  showCustomers,
  showEntities,
  showInvoices,
  showNumbering,
  showWallet,
  showWhereToLook,
} from './report.ts';
import { setUp, type World } from './set-up.ts';
import type { Group, Invoice, Wallet } from './shapes.ts';
import { playYear } from './year.ts';
export { bold, dim, green, heading, print, provenStreams, checkWallet, checkYear, invoiceSheet, showBoundaries, showCustomers, showEntities, showInvoices, showNumbering, showWallet, showWhereToLook, setUp, playYear, CLOCK_END };
export type { World, Group, Invoice, Wallet };
